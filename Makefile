# nodebake: Kubernetes nodes as images. `make help` lists what can be made.

VERSION = 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build

CC ?= gcc
MUSL_CC ?= musl-gcc
WARN = -Wall -Wextra -Wshadow -Wconversion -Werror
STD = -std=c11 -D_GNU_SOURCE
CFLAGS ?= -O2 -g
BUILDER_LIBS = libguestfs openssl yaml-0.1 libarchive zlib jansson libmicrohttpd
# Asked once, and only when something is compiled: `make deps` must work before pkg-config is there.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(BUILDER_LIBS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(BUILDER_LIBS)))$(PKG_LIBS)
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
BUILDER_CFLAGS = $(STD) $(WARN) $(CFLAGS) $(HARDEN) -I. $(PKG_CFLAGS) \
	-DNODEBAKE_VERSION='"$(VERSION)"' -DNODEBAKE_PREFIX='"$(PREFIX)"' $(SANITIZE)
BUILDER_LDLIBS = $(PKG_LIBS)
FIRSTBOOT_CFLAGS = $(STD) $(WARN) -Os -fno-asynchronous-unwind-tables -ffunction-sections \
	-fdata-sections -I. -isystem $(BUILD)/uapi -DNODEBAKE_VERSION='"$(VERSION)"'
FIRSTBOOT_LDFLAGS = -static -no-pie -s -Wl,--gc-sections -Wl,-z,norelro -Wl,--build-id=none

COMMON = address buffer cleanup error file template
FIRSTBOOT =
BUILDER = heap
BUILDER += yaml/yaml yaml/values
BUILDER += cluster/cluster cluster/read cluster/check cluster/labels
BUILDER += plan/profile plan/facts plan/overlay plan/contract plan/plan plan/target plan/print plan/json
BUILDER += args install cmd/inputs cmd/init cmd/plan cmd/metadata cmd/completion
BUILDER += process progress tree/manifest tree/tree
BUILDER += image/base image/disk image/dpkg image/format image/image image/initramfs image/initrd image/osrelease image/fstab image/kvm image/guestfs/guestfs image/guestfs/put image/guestfs/system

# Unit tests: X.c is tested by X-test.c beside it.
TESTS_COMMON = address error file template
TESTS_FIRSTBOOT =
TESTS_BUILDER = cluster/cluster
TESTS_BUILDER += process progress tree/tree \
	image/dpkg

COMMON_OBJ = $(COMMON:%=$(BUILD)/common/%.o)
BUILDER_OBJ = $(BUILDER:%=$(BUILD)/builder/%.o)
# firstboot twice: with musl for the machine, with the host's libc for the tests.
FIRSTBOOT_OBJ = $(FIRSTBOOT:%=$(BUILD)/musl/firstboot/%.o) $(COMMON:%=$(BUILD)/musl/common/%.o)
FIRSTBOOT_TEST_OBJ = $(FIRSTBOOT:%=$(BUILD)/firstboot/%.o)
TESTS = $(TESTS_COMMON:%=$(BUILD)/common/%-test) $(TESTS_FIRSTBOOT:%=$(BUILD)/firstboot/%-test) \
	$(TESTS_BUILDER:%=$(BUILD)/builder/%-test)

.PHONY: all
all: $(BUILD)/nodebake $(BUILD)/firstboot

$(BUILD)/nodebake: $(BUILD)/builder/main.o $(BUILD)/libbuilder.a
	$(CC) $(CFLAGS) $(SANITIZE) -pie -Wl,-z,relro,-z,now -o $@ $^ $(BUILDER_LDLIBS)

$(BUILD)/firstboot: $(BUILD)/musl/firstboot/main.o $(FIRSTBOOT_OBJ)
	$(MUSL_CC) $(FIRSTBOOT_LDFLAGS) -o $@ $^

$(BUILD)/libbuilder.a: $(BUILDER_OBJ) $(COMMON_OBJ)
	rm -f $@ && ar rcsD $@ $^

$(BUILD)/libfirstboot.a: $(FIRSTBOOT_TEST_OBJ) $(COMMON_OBJ)
	rm -f $@ && ar rcsD $@ $^

# The kernel's own headers, for musl: rtnetlink and packet sockets.
$(BUILD)/uapi: ; @mkdir -p $@ && ln -sfn /usr/include/linux $@/linux && \
	ln -sfn /usr/include/asm-generic $@/asm-generic && \
	ln -sfn /usr/include/$$(gcc -print-multiarch)/asm $@/asm

$(BUILD)/musl/%.o: %.c | $(BUILD)/uapi
	@mkdir -p $(@D)
	$(MUSL_CC) $(FIRSTBOOT_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BUILDER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/common/%-test $(BUILD)/builder/%-test: $(BUILD)/libbuilder.a
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $< $(BUILDER_LDLIBS) -lcmocka
$(BUILD)/firstboot/%-test: $(BUILD)/libfirstboot.a
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $< -lcmocka
$(foreach t,$(TESTS),$(eval $(t): $(t).o))

.PHONY: tests
tests: $(TESTS)

.PHONY: check
check: all tests
	prove -e '' $(TESTS)

.PHONY: clean
clean:
	rm -rf build build-asan

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
