/* Compiler attributes that every prototype of both programs may use. */
#ifndef NB_COMMON_ATTRIBUTES_H
#define NB_COMMON_ATTRIBUTES_H

#define MUST_CHECK   __attribute__((warn_unused_result))
#define NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
