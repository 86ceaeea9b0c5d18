# bootdiag: `make diagnose` boots fresh VMs and says why they fail; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CC := gcc
BUILD := build
PKGS := libcurl jansson libpcre2-8 libcrypto libzstd zlib

# What `make diagnose` boots; each may be given on the command line.
TARGET := fixtures/targets/bundled.json
BOOTS := 3
JOBS :=
FAULT :=
SET :=
BASELINE_BOOTS := 5

# The guests that we build, and the targets that boot them; another team's target names its own images.
GUEST_OF_fixtures/targets/bundled.json := debian-12
GUEST_OF_fixtures/targets/debian-13.json := debian-13
GUEST_FAMILY := $(GUEST_OF_$(TARGET))
GUEST := build/guest$(patsubst %,-%,$(filter-out debian-12,$(GUEST_FAMILY)))

# V=1 shows the compiler's commands.
Q := $(if $(V),,@)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
WARN += $(if $(CI)$(WERROR),-Werror)
CFLAGS := -O2 -g
STD := -std=gnu11 -D_GNU_SOURCE -I.
DEPS := -MMD -MP
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

# Asked for once, and only when a recipe needs it: pkg-config itself may have to be installed first.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)) -lm)$(PKG_LIBS)

LIB_SRC := $(sort $(filter-out harness/main.c,$(wildcard harness/base/*.c harness/*.c analyzers/*.c reports/*.c)))
SRC := $(LIB_SRC) harness/main.c
TEST_SRC := $(sort $(wildcard tests/test_*.c))
OBJ := $(SRC:%.c=$(BUILD)/o/%.o)
SAN_OBJ := $(LIB_SRC:%.c=$(BUILD)/san/%.o)
UNIT_TESTS := $(TEST_SRC:tests/%.c=$(BUILD)/tests/%)
HEADERS := $(wildcard harness/base/*.h harness/*.h analyzers/*.h reports/*.h tests/*.h)

RUN_OPTIONS = --target $(TARGET) $(if $(JOBS),--jobs $(JOBS)) $(if $(SET),$(SET:%=--set %))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help diagnose guest baseline lab unit test test-fast test-vm test-all check check-format \
        check-layers check-cppcheck check-tidy check-clang accuracy bench fuzz clean deps-run deps-test deps-check

all: deps-run
	@$(MAKE) -sq $(BUILD)/bootdiag 2>/dev/null \
	    || { echo 'building $(BUILD)/bootdiag'; $(MAKE) -s -j$$(nproc) $(BUILD)/bootdiag; }

help:
	@echo 'make diagnose [FAULT=NAME] [BOOTS=N] [JOBS=N] [TARGET=FILE] [SET="NAME=VALUE ..."]'
	@echo '                  build, prepare, boot, diagnose; its output ends with "bootdiag: exit status N"'
	@echo 'make test         all tests that take minutes, real boots included; `make test-fast` without VMs'
	@echo 'make test-all     the tests that take longer'
	@echo 'make check        warnings as errors (gcc, clang), format, layers, cppcheck, clang-tidy'
	@echo 'make accuracy     how often the true cause of the kept cases is named; what changed consoles do to it'
	@echo 'make bench        speed, as ratios within one run'
	@echo 'make fuzz         the console reader under libFuzzer, for FUZZ_SECONDS=60'
	@echo 'make guest        only the bundled guest image; GUEST_FAMILY=debian-13 makes the other one'
	@echo 'make lab [ONLY=PATTERN] [JOBS=2] [FORCE=1]'
	@echo '                  boots every fault and keeps the records as cases; hours, and it goes on where it was'

# ---- the main job --------------------------------------------------------------------------------

diagnose: all guest baseline
	@status=0; $(BUILD)/bootdiag run $(RUN_OPTIONS) --boots $(BOOTS) $(if $(FAULT),--fault $(FAULT)) \
	    || status=$$?; echo "bootdiag: exit status $$status"; exit $$status

guest: deps-run
	@$(if $(GUEST_FAMILY),fixtures/guest/build.sh $(GUEST_FAMILY) $(GUEST),:)

baseline: all guest
	@$(BUILD)/bootdiag baseline record --if-missing $(RUN_OPTIONS) --boots $(BASELINE_BOOTS) >/dev/null \
	    || echo 'make: there is no baseline: going on without a comparison' >&2

# ---- the lab --------------------------------------------------------------------------------------

# Which cases (a pattern of their names, as fixtures/cases has them), and whether again.
ONLY := *
FORCE :=
UNDER :=

# On every guest that we build.
lab: all deps-test
	@fixtures/guest/build.sh debian-12 build/guest
	@fixtures/guest/build.sh debian-13 build/guest-debian-13
	@fixtures/lab/lab.py --only '$(ONLY)' $(if $(JOBS),--jobs $(JOBS)) $(if $(FORCE),--force) \
	    $(if $(UNDER),--under '$(UNDER)')

# ---- building -------------------------------------------------------------------------------------

# One after the other, also under `make -j`: apt takes one at a time.
deps-run deps-test deps-check: deps-%:
	@.ci/deps.sh $*
deps-test: deps-run
deps-check: deps-test

$(BUILD)/bootdiag: $(OBJ)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/o/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(DEPS) $(WARN) $(CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

$(BUILD)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(DEPS) $(WARN) $(SAN) $(PKG_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/san/tests/%.o $(SAN_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $^ $(PKG_LIBS) -lcmocka

-include $(shell find $(BUILD)/o $(BUILD)/san -name '*.d' 2>/dev/null)

clean:
	rm -rf $(BUILD)/o $(BUILD)/san $(BUILD)/tests $(BUILD)/werror $(BUILD)/fuzz $(BUILD)/bootdiag

# ---- tests ----------------------------------------------------------------------------------------

unit: deps-test
	@$(MAKE) -s -j$$(nproc) $(UNIT_TESTS)
	@tests/unit.sh $(UNIT_TESTS)

test-fast: unit all
	@tests/cli/run.sh $(BUILD)/bootdiag
	@tests/accuracy/accuracy.py --gate $(BUILD)/bootdiag >$(BUILD)/accuracy.txt \
	    || { cat $(BUILD)/accuracy.txt; exit 1; }
	@tests/accuracy/mutations.py --gate $(BUILD)/bootdiag

accuracy: all deps-test
	@tests/accuracy/accuracy.py --verbose $(BUILD)/bootdiag
	@echo; echo 'cases changed in ways whose answer is known'
	@tests/accuracy/mutations.py $(BUILD)/bootdiag

test: test-fast guest
	@tests/vm/run.sh $(BUILD)/bootdiag

test-all: all guest deps-test
	@tests/vm/run.sh $(BUILD)/bootdiag --all
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=60

# ---- checks ---------------------------------------------------------------------------------------

check: deps-check check-layers check-format check-cppcheck check-clang check-tidy
	@$(MAKE) -s -j$$(nproc) WERROR=1 BUILD=$(BUILD)/werror $(BUILD)/werror/bootdiag && echo 'gcc: ok'

check-layers:
	@tests/check_layers.py

check-format: deps-check
	@clang-format-14 --dry-run --Werror $(SRC) $(TEST_SRC) $(wildcard tests/fuzz/*.c) $(HEADERS) && echo 'format: ok'

check-cppcheck: deps-check
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -D_GNU_SOURCE -I. -j$$(nproc) \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem \
	    --suppressions-list=tests/cppcheck.txt $(SRC) && echo 'cppcheck: ok'

check-tidy: deps-check
	@printf '%s\n' $(SRC) | xargs -P$$(nproc) -n6 sh -c 'clang-tidy-14 --quiet --warnings-as-errors="*" "$$@" \
	    -- $(STD) $(PKG_CFLAGS) 2>/dev/null' tidy && echo 'clang-tidy: ok'

check-clang: deps-check
	@for f in $(SRC) $(TEST_SRC); do clang-14 -fsyntax-only $(STD) $(WARN) -Werror $(PKG_CFLAGS) $$f || exit 1; \
	    done && echo 'clang: ok'

# ---- speed and robustness ---------------------------------------------------------------------------

bench: all guest deps-test
	@tests/bench/run.sh $(BUILD)/bootdiag

FUZZ_SECONDS := 60
fuzz: deps-check
	@mkdir -p $(BUILD)/fuzz
	@clang-14 -std=gnu11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all $(PKG_CFLAGS) -o $(BUILD)/fuzz/fuzz_console tests/fuzz/fuzz_console.c \
	    $(LIB_SRC) $(PKG_LIBS)
	@$(BUILD)/fuzz/fuzz_console -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -print_final_stats=0 \
	    -artifact_prefix=$(BUILD)/fuzz/ 2>&1 | tail -n 3
