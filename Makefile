# nodebake: Kubernetes nodes as images. `make help` lists what can be made.

VERSION = 0.1.0
# The day of that version, for man pages and for what knows that a clock cannot be right.
RELEASED = 2026-11-22
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build

MUSL_CC ?= musl-gcc
# V=1 shows whole commands.
V ?= 0
Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-6s %s\n' $(1) $(2))

WARN = -Wall -Wextra -Wshadow -Wconversion -Werror
export CMOCKA_MESSAGE_OUTPUT = TAP
# Tests run two at a time. A test that failed or was skipped is shown below the name of its script,
# which prove does on a terminal only when told that there is none.
PROVE = HARNESS_NOTTY=1 prove $(PROVE_VERBOSE) -j2 --failures --comments --directives -e ''

STD = -std=c11 -D_GNU_SOURCE
CFLAGS ?= -O2 -g
BUILDER_LIBS = libguestfs ext2fs com_err blkid libnbd openssl yaml-0.1 libarchive zlib jansson \
	libmicrohttpd libsolv gnutls
# Asked once, and only when something is compiled: `make deps` must work before pkg-config is there.
RELEASED_SECONDS = $(eval RELEASED_SECONDS := $(shell date -u -d $(RELEASED) +%s))$(RELEASED_SECONDS)
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(BUILDER_LIBS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(BUILDER_LIBS)))$(PKG_LIBS)
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
# Hidden, lest a library calls a function of ours that has the name of one of its own.
HARDEN += -fvisibility=hidden
BUILDER_CFLAGS = $(STD) $(WARN) $(CFLAGS) $(HARDEN) -I. $(PKG_CFLAGS) \
	-DNODEBAKE_VERSION='"$(VERSION)"' -DNODEBAKE_PREFIX='"$(PREFIX)"' \
	-DNODEBAKE_RELEASED=$(RELEASED_SECONDS) -pthread $(SANITIZE)
BUILDER_LDLIBS = $(PKG_LIBS) -pthread
FIRSTBOOT_CFLAGS = $(STD) $(WARN) -Os -fno-asynchronous-unwind-tables -ffunction-sections \
	-fdata-sections -I. -isystem $(BUILD)/uapi -DNODEBAKE_VERSION='"$(VERSION)"'
FIRSTBOOT_LDFLAGS = -static -no-pie -s -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,noseparate-code -Wl,--build-id=none

# What is in the folders: X.c is a module, X-test.c beside it its test.
modules = $(patsubst $(1)/%.c,%,$(filter-out %-test.c $(1)/main.c,$(sort $(shell find $(1) -name '*.c'))))
tests_of = $(patsubst $(1)/%-test.c,%,$(sort $(shell find $(1) -name '*-test.c')))
COMMON := $(call modules,common)
FIRSTBOOT := $(call modules,firstboot)
BUILDER := $(call modules,builder)
# Tests that launch an appliance.
TESTS_SLOW = image/guestfs/guestfs image/guestfs/lvm image/guestfs/put
TESTS_COMMON := $(call tests_of,common)
TESTS_FIRSTBOOT := $(call tests_of,firstboot)
TESTS_BUILDER := $(filter-out $(TESTS_SLOW),$(call tests_of,builder))

COMMON_OBJ = $(COMMON:%=$(BUILD)/common/%.o)
BUILDER_OBJ = $(BUILDER:%=$(BUILD)/builder/%.o)
# firstboot twice: with musl for the machine, with the host's libc for the tests.
FIRSTBOOT_OBJ = $(FIRSTBOOT:%=$(BUILD)/musl/firstboot/%.o) $(COMMON:%=$(BUILD)/musl/common/%.o)
# (under host/, since build/firstboot is the program)
FIRSTBOOT_TEST_OBJ = $(FIRSTBOOT:%=$(BUILD)/host/firstboot/%.o)
TESTS = $(TESTS_COMMON:%=$(BUILD)/common/%-test) $(TESTS_FIRSTBOOT:%=$(BUILD)/host/firstboot/%-test) \
	$(TESTS_BUILDER:%=$(BUILD)/builder/%-test)

.PHONY: all
all: $(BUILD)/nodebake $(BUILD)/firstboot man

# Pages of section 5 are made of what describes the same files in docs/.
MAN_5 = cluster.yaml nodebake-contract nodebake-profile nodebake-release
MAN_PAGES = $(wildcard docs/man/*.1 docs/man/*.8) $(MAN_5:%=$(BUILD)/man/%.5)
MAN_DATE = $(shell LC_ALL=C date -u -d $(RELEASED) '+%B %-d, %Y')

.PHONY: man
man: $(MAN_5:%=$(BUILD)/man/%.5)
$(BUILD)/man/cluster.yaml.5: ABOUT = -v about='the description of a cluster for nodebake' \
	-v example=profiles/hard-way.cluster.yaml \
	-v see='nodebake 1 nodebake-init 1 nodebake-plan 1 nodebake-profile 5 nodebake-release 5'
$(BUILD)/man/cluster.yaml.5: docs/cluster.yaml.md profiles/hard-way.cluster.yaml
$(BUILD)/man/nodebake-contract.5: ABOUT = -v about='what an image of nodebake wants at first boot' \
	-v see='nodebake-inspect 1 firstboot 8'
$(BUILD)/man/nodebake-contract.5: docs/contract.md
$(BUILD)/man/nodebake-profile.5: ABOUT = -v about='how nodebake lays out nodes' \
	-v see='nodebake-plan 1 cluster.yaml 5 nodebake-release 5'
$(BUILD)/man/nodebake-profile.5: docs/profile.yaml.md
$(BUILD)/man/nodebake-release.5: ABOUT = -v about='the pinned files of a Kubernetes version' \
	-v see='nodebake-build 1 cluster.yaml 5 nodebake-profile 5'
$(BUILD)/man/nodebake-release.5: docs/release.yaml.md

$(BUILD)/man/%.5: docs/man/from-markdown.awk
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)awk -v name=$* -v date='$(MAN_DATE)' $(ABOUT) -f $< $(filter %.md,$^) >$@.tmp && mv $@.tmp $@

$(BUILD)/nodebake: $(BUILD)/builder/main.o $(BUILD)/libbuilder.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -pie -Wl,-z,relro,-z,now -o $@ $^ $(BUILDER_LDLIBS)

$(BUILD)/firstboot: $(BUILD)/musl/firstboot/main.o $(FIRSTBOOT_OBJ)
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) $(FIRSTBOOT_LDFLAGS) -o $@ $^

$(BUILD)/libbuilder.a: $(BUILDER_OBJ) $(COMMON_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

$(BUILD)/libfirstboot.a: $(FIRSTBOOT_TEST_OBJ) $(COMMON_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

# The kernel's own headers, for musl: rtnetlink and packet sockets.
$(BUILD)/uapi: ; @mkdir -p $@ && ln -sfn /usr/include/linux $@/linux && \
	ln -sfn /usr/include/asm-generic $@/asm-generic && \
	ln -sfn /usr/include/$$(gcc -print-multiarch)/asm $@/asm

$(BUILD)/musl/%.o: %.c | $(BUILD)/uapi
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(MUSL_CC) $(FIRSTBOOT_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BUILDER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BUILDER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/common/%-test $(BUILD)/builder/%-test: $(BUILD)/libbuilder.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $< $(BUILDER_LDLIBS) -lcmocka
$(BUILD)/host/firstboot/%-test: $(BUILD)/libfirstboot.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $< -lcmocka
$(foreach t,$(TESTS),$(eval $(t): $(t).o))
$(BUILD)/host/firstboot/http-test $(BUILD)/host/firstboot/source-gce-test \
	$(BUILD)/host/firstboot/source-aws-test: $(BUILD)/tests/scripted-server.o

.PHONY: tests
tests: $(TESTS)

$(foreach t,$(TESTS_SLOW:%=$(BUILD)/builder/%-test),$(eval $(t): $(t).o))

# What a user sees of the programs, in TAP. Two run at a time, so the slow ones come first.
SCRIPTS_LONG = kill pki-kill pki-passphrase pki-apiserver inspect pki-import reproducible lab \
	packages-repo ext4-variants build firstboot-boot firstboot-cut firstboot-hostile
SCRIPTS = $(SCRIPTS_LONG:%=tests/%.t) \
	$(sort $(filter-out $(SCRIPTS_LONG:%=tests/%.t),$(wildcard tests/*.t)))

# Programs that scripts in tests/ drive. The one for firstboot's network is what ships: musl, static.
TOOLS = $(BUILD)/tests/metadata-try $(BUILD)/tests/net-try $(BUILD)/tests/tar-list
TOOLS += $(BUILD)/tests/grub-try $(BUILD)/tests/cut-try $(BUILD)/tests/memory-try
TOOLS += $(BUILD)/tests/log-replay $(BUILD)/no-fsync/firstboot
$(BUILD)/tests/log-replay: $(BUILD)/tests/write-log.o
# firstboot as it must not be: qemu-tests/35-disk-cut.t finds out.
$(BUILD)/no-fsync/firstboot: $(BUILD)/musl/qemu-tests/no-fsync.o $(BUILD)/musl/firstboot/main.o \
		$(FIRSTBOOT_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) $(FIRSTBOOT_LDFLAGS) -o $@ $^
$(BUILD)/tests/net-try: $(BUILD)/musl/tests/net-try.o $(FIRSTBOOT_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) $(FIRSTBOOT_LDFLAGS) -o $@ $^
$(BUILD)/tests/metadata-try $(BUILD)/tests/tar-list $(BUILD)/tests/grub-try $(BUILD)/tests/cut-try $(BUILD)/tests/memory-try $(BUILD)/tests/log-replay: $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libbuilder.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(BUILDER_LDLIBS)

# Fuzz targets, here with a driver that replays the corpus: a target of firstboot's, or of the
# builder's.
FUZZ_FIRSTBOOT = bundle contract dhcp dmi facts http ssh-keys template
FUZZ_BUILDER = base cluster deb initramfs inspect journal manifest partition sources
FUZZ_BUILDER += pki container-image
FUZZ_BUILDER += kubeconfig
FUZZ = $(FUZZ_FIRSTBOOT) $(FUZZ_BUILDER)
FUZZ_REPLAY = $(FUZZ:%=$(BUILD)/fuzz/%-replay) $(FUZZ:%=$(BUILD)/fuzz/%.t)
$(FUZZ_FIRSTBOOT:%=$(BUILD)/fuzz/%-replay): $(BUILD)/libfirstboot.a
$(FUZZ_BUILDER:%=$(BUILD)/fuzz/%-replay): $(BUILD)/libbuilder.a
$(BUILD)/fuzz/%-replay: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/replay.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(if $(filter $*,$(FUZZ_BUILDER)),$(BUILDER_LDLIBS))
$(BUILD)/fuzz/%.t: $(BUILD)/fuzz/%-replay
	@mkdir -p $(@D); printf '#!/bin/sh\necho 1..1\n$< fuzz/corpus-$* >&2 && echo "ok 1 - corpus of $*" ||' >$@
	@printf ' echo "not ok 1 - corpus of $*"\n' >>$@ && chmod +x $@

# The same targets under clang's libFuzzer: `make fuzz`, `make fuzz FUZZ="http dhcp" FUZZ_RUNS=100000`.
# What is found lies in build/libfuzzer.
FUZZ_RUNS ?= 10000000
FUZZ_LEN ?= 1024
FUZZ_ENGINE = $(FUZZ_FIRSTBOOT:%=$(BUILD)/libfuzzer/%)
$(FUZZ_ENGINE): $(BUILD)/libfuzzer/%: fuzz/%.c $(FIRSTBOOT:%=firstboot/%.c) $(COMMON:%=common/%.c)
	@mkdir -p $@-corpus
	$(call say,FUZZ,$@)
	$(Q)clang $(STD) -O1 -g -I. -DNODEBAKE_VERSION='"0"' -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $^

.PHONY: fuzz
fuzz: $(filter $(FUZZ:%=$(BUILD)/libfuzzer/%),$(FUZZ_ENGINE))
	@set -e; for target in $^; do \
		$$target -runs=$(FUZZ_RUNS) -max_len=$(FUZZ_LEN) -print_final_stats=1 \
			-artifact_prefix=$$target-finding- -verbosity=0 $$target-corpus fuzz/corpus-$${target##*/}; \
	done

.SECONDARY:

.PHONY: tools
tools: $(TOOLS)

.PHONY: check
check: all tests tools $(FUZZ_REPLAY) check-lint
	@$(PROVE) $(SCRIPTS) $(TESTS) $(FUZZ:%=$(BUILD)/fuzz/%.t)

SOURCES = $(shell git ls-files '*.c' '*.h')
CPPCHECK = cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --std=c11 -D__linux__ -D_GNU_SOURCE -D__cppcheck__ \
	-DNODEBAKE_VERSION='"0"' -DNODEBAKE_RELEASED=0 -I. -j2

.PHONY: check-lint
check-lint:
	@echo 'clang-format, cppcheck'
	@clang-format --dry-run -Werror $(SOURCES)
	@$(CPPCHECK) $(filter %.c,$(SOURCES))

.PHONY: check-asan
check-asan:
	$(MAKE) BUILD=build-asan CFLAGS='-O1 -g' SANITIZE='-fsanitize=address,undefined \
		-fno-sanitize-recover=all' check-units

.PHONY: check-units
check-units: all tests $(FUZZ_REPLAY)
	@$(PROVE) tests/refusals.t tests/plan.t tests/cli.t $(TESTS) $(FUZZ:%=$(BUILD)/fuzz/%.t)

# gcc's analyzer is for C. Nobody wants its objects but a compiler cache.
.PHONY: check-analyzer
check-analyzer: | $(BUILD)/uapi
	@mkdir -p $(sort $(dir $(SOURCES:%=$(BUILD)/analyzer/%)))
	@printf '%s\n' $(filter-out %-test.c fuzz/% tests/%,$(filter %.c,$(SOURCES))) | \
		xargs -P2 -I{} sh -c 'said=$$("$$@" 2>&1); result=$$?; printf "%s\n" "analyze {}" \
		$${said:+"$$said"}; exit $$result' sh $(CC) $(BUILDER_CFLAGS) -fanalyzer -c \
		-o $(BUILD)/analyzer/{}.o {}

.PHONY: check-qemu
check-qemu: all tools $(TESTS_SLOW:%=$(BUILD)/builder/%-test)
	@prove --timer $(PROVE_VERBOSE) -j2 -e '' $(TESTS_SLOW:%=$(BUILD)/builder/%-test)
	@prove --timer $(PROVE_VERBOSE) -j2 qemu-tests/*.t

# A cluster in one lab, and all scenarios in it; three controllers, of which one is lost.
.PHONY: check-cluster check-srv check-ha check-bootstrap
check-cluster: all
	qemu-tests/in-lab qemu-tests/cluster
check-srv: all
	qemu-tests/in-lab qemu-tests/srv
check-ha: all
	qemu-tests/in-lab qemu-tests/ha
check-bootstrap: all
	qemu-tests/in-lab qemu-tests/bootstrap

# Scenarios that need not run every day.
.PHONY: check-qemu-full
check-qemu-full: check-qemu
	@prove --timer $(PROVE_VERBOSE) qemu-tests/full/*.t

# Scripts take all variants then, and kill at every point.
.PHONY: check-full
check-full: export FULL = 1
check-full: check check-asan check-analyzer check-qemu-full check-cluster check-srv check-ha check-bootstrap

.PHONY: bench
bench: all
	qemu-tests/bench
	@echo
	qemu-tests/bench-pki
	@echo
	qemu-tests/bench-firstboot

# COMPONENTS=DIR: of a release of yours; KEEP=1: the cluster stays up.
DEMO = $(if $(COMPONENTS),--components '$(COMPONENTS)') $(if $(filter-out 0,$(KEEP)),--keep)

.PHONY: demo
demo:
	@qemu-tests/demo --check $(DEMO)
	@$(MAKE) --no-print-directory deps
	$(MAKE) all
	qemu-tests/demo $(DEMO)

DEPS_BUILD = gcc make musl-tools linux-libc-dev pkg-config libguestfs-dev libext2fs-dev comerr-dev \
	libblkid-dev libnbd-dev libsolv-dev libssl-dev libyaml-dev \
	libarchive-dev zlib1g-dev libjansson-dev libmicrohttpd-dev libgnutls28-dev
# supermin makes libguestfs' appliance out of the host's packages, and needs a kernel there.
DEPS_RUN = e2fsprogs fdisk libguestfs-xfs linux-image-cloud-amd64 qemu-system-x86 qemu-utils \
	seabios supermin
DEPS_RUN += dnsmasq-base haproxy iproute2
# A kubectl of another package does as well; Debian's cannot be installed beside it.
DEPS_RUN += $(if $(shell command -v kubectl 2>/dev/null),,kubernetes-client)
DEPS_TEST = libcmocka-dev perl jq strace git clang-format cppcheck man-db groff mandoc \
	bsdextrautils xz-utils zstd lz4 bzip2 libarchive-tools faketime time libguestfs-tools \
	socat util-linux uidmap procps ufw iptables mmdebstrap busybox-static dosfstools \
	mtools gdisk curl docker-registry tinyproxy-bin golang-1.19-go rsync dpkg-dev \
	ca-certificates file openssh-client openssl ovmf debian-archive-keyring apt-utils gnupg \
	python3 apt grub-common ccache
DEPS_TEST += golang-cfssl

.PHONY: deps
deps:
	@missing=$$(for p in $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST); do \
		dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	[ -n "$$missing" ] || { echo 'deps: everything is installed'; exit 0; }; \
	echo "deps: installing" $$missing; \
	[ "$$(id -u)" -eq 0 ] && as= || as=sudo; \
	$$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends $$missing

DATA = $(DESTDIR)$(PREFIX)/share/nodebake
MAN = $(DESTDIR)$(PREFIX)/share/man
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

.PHONY: install
install: all
	install -D -m 0755 $(BUILD)/nodebake $(DESTDIR)$(PREFIX)/bin/nodebake
	install -D -m 0755 $(BUILD)/firstboot $(DESTDIR)$(PREFIX)/lib/nodebake/firstboot
	rm -rf $(DATA)/profiles $(DATA)/overlays $(DATA)/hook # what an older version had is none of this one's
	mkdir -p $(DATA) $(COMPLETIONS)
	cp -RP profiles overlays $(DATA)/
	cp -R firstboot/hook $(DATA)/
	for page in $(MAN_PAGES); do \
		install -D -m 0644 $$page $(MAN)/man$${page##*.}/$${page##*/} || exit 1; done
	$(BUILD)/nodebake completion bash >$(COMPLETIONS)/nodebake

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/nodebake $(COMPLETIONS)/nodebake
	for page in $(notdir $(MAN_PAGES)); do rm -f $(MAN)/man$${page##*.}/$$page; done
	rm -rf $(DATA) $(DESTDIR)$(PREFIX)/lib/nodebake

.PHONY: format
format:
	clang-format -i $(SOURCES)

.PHONY: clean
clean:
	rm -rf build build-asan

.PHONY: help
help:
	@echo 'all             build/nodebake, build/firstboot, man pages (the default)'
	@echo 'demo            install what is missing, build, make images of a controller and two workers,'
	@echo '                boot them, show the nodes; COMPONENTS=DIR: of that release; KEEP=1: leave it up'
	@echo 'deps            install the Debian packages that building and testing need'
	@echo 'check           unit tests, scripts, corpora, layout, cppcheck'
	@echo 'check-asan      unit tests and corpora under ASan and UBSan'
	@echo 'check-analyzer  gcc -fanalyzer over all sources'
	@echo 'check-qemu      make images with libguestfs and boot them in QEMU'
	@echo 'check-cluster   boot a controller and two workers in a lab; the smoke test and more'
	@echo 'check-srv       boot the AWS layout: a controller, workers with containerd and docker'
	@echo 'check-ha        boot three controllers and a worker; one is lost and comes back'
	@echo 'check-bootstrap boot hard-way with identity bootstrap: a controller and a worker'
	@echo 'check-qemu-full the scenarios in qemu-tests/full, too'
	@echo 'check-full      all of these'
	@echo 'fuzz            10 million runs of each parser of firstboot under libFuzzer (needs clang)'
	@echo 'bench           speed, side by side with other tools'
	@echo 'install         into DESTDIR/PREFIX (default PREFIX: /usr/local); uninstall removes it'
	@echo 'format, clean   lay out the code; remove what was built'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
