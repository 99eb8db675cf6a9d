#include "builder/image/base-look.h"

#include "builder/heap.h"

int base_look(const struct disk_file *file, struct base **out, struct error *err)
{
    const struct disk_writer *writer = &disk_writer_ext4;
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    struct error ignored = ERROR_INIT;
    struct disk_set *set = NULL;
    struct disk *disk;
    int answer = writer->view(file, &disk, &set, &remarks, err);
    if (answer <= 0)
        return answer;
    int result = base_read(writer, disk, out, err);
    if (writer->close_all(set, result < 0 ? &ignored : err) < 0 && result == 0) {
        base_free(*out);
        result = -1;
    }
    return result < 0 ? -1 : 1;
}
