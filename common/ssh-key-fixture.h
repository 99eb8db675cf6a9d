/* For tests: public keys that ssh-keygen made, without comments. */
#ifndef NB_COMMON_SSH_KEY_FIXTURE_H
#define NB_COMMON_SSH_KEY_FIXTURE_H

#define KEY_ED25519                                                                                \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoOK8tq"
#define KEY_RSA                                                                                    \
    "ssh-rsa "                                                                                     \
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQD1qXQ5LrGwcwU7vX0vcBb8HYM5+YEf7rWnJ7JzPmCxLThPMuf4O9CEG3yseWPp" \
    "32ytaEKrzMuwD8TsNCBi0JvHBO7NViNTA8yrIbY4KchiVrlNx1gyBxgnXJtov2YeE+oW+8ppvG6EJ8RXNExEjnxgRs5N" \
    "Z3DYgdFeb8/yNwXUqw=="
#define KEY_ECDSA                                                                                  \
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDv5n8NRZtQaAfxRtaes" \
    "AcqXGgzvawZbkKYlEusyqyx5GC+Nnuh4jWy0X0K4p3iezeAUEnNlMbqmG39G2hNDLD8="
#define KEY_ECDSA_521                                                                              \
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAAZ3IBEoGzlSZUOrx6e" \
    "dryrjwh70WkfcA9gSUcxq9+gA6mpP11U2EhNrgKh8dGQAuBvoTZavjVRiYB6QLfZxUzdFwGK3jMltIL7cXbDqbR3XC0E" \
    "d5MXQOmsTSrvw83UjX2ga+htZff2CLMU4W2yQhpEzvd91G98Uu4F/dCnPbboZOyg9w=="
#define KEY_SK                                                                                     \
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAEBAQEBAQEBAQEBAQEB"  \
    "AQEBAQEBAQEBAQEBAQEBAQEBAAAABHNzaDo="

#endif
