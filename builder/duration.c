#include "builder/duration.h"

#include <stdlib.h>
#include <string.h>

int duration_hours(const char *text, unsigned least, unsigned most, unsigned *hours,
                   struct error *err)
{
    enum { DIGITS_MAX = 7 };
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    if (!digits || digits > DIGITS_MAX || (strcmp(unit, "h") != 0 && strcmp(unit, "d") != 0))
        return error_set(err,
                         "'%.64s' is not a duration; write hours or days, such as 8760h or "
                         "365d",
                         text);
    unsigned long value = strtoul(text, NULL, 10) * (*unit == 'd' ? 24 : 1);
    if (value < least || value > most)
        return error_set(err, "'%.64s' is not %uh to %uh", text, least, most);
    *hours = (unsigned)value;
    return 0;
}

int duration_seconds(const char *text, unsigned least, unsigned most, unsigned *seconds,
                     struct error *err)
{
    enum { DIGITS_MAX = 7 };
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    if (!digits || digits > DIGITS_MAX || (strcmp(unit, "s") != 0 && strcmp(unit, "m") != 0))
        return error_set(err,
                         "'%.64s' is not a duration; write seconds or minutes, such as 90s "
                         "or 15m",
                         text);
    unsigned long value = strtoul(text, NULL, 10) * (*unit == 'm' ? 60 : 1);
    if (value < least || value > most)
        return error_set(err, "'%.64s' is not %us to %us", text, least, most);
    *seconds = (unsigned)value;
    return 0;
}
