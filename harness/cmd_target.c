/* SPDX-License-Identifier: Apache-2.0 */
/* target: writes and checks target files, and makes the image that a fault leads to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/fault.h"
#include "harness/scratch.h"
#include "harness/target.h"
#include "harness/vm.h"

static int init(const struct command_line *line, struct err *err)
{
    json_auto_t *template = target_template();
    if (line->n_operands > 1) {
        const char *path = line->operands[1];
        if (path_exists(path))
            return err_set(err, "%s exists: it is not overwritten; remove it, or name another file",
                           path);
        return json_write_file(template, path, err);
    }
    if (json_dumpf(template, stdout, JSON_INDENT(1)) != 0)
        return err_set(err, "cannot write to standard output");
    putchar('\n');
    return 0;
}

static int check(const struct command_line *line, struct err *err)
{
    if (line->n_operands < 2)
        return err_set(err, "target check: name one target file or more");
    for (size_t i = 1; i < line->n_operands; i++) {
        auto_target struct target target;
        target_init(&target);
        if (target_load(&target, line->operands[i], err) != 0)
            return -1;
        const struct vm_ops *ops = vm_find(target.backend);
        if (ops == NULL)
            return err_set(
                err, "%s: \"backend\": there is no backend \"%s\"; `%s list backends` shows them",
                line->operands[i], target.backend, line->program);
        if (ops->check(&target, err) != 0)
            return -1;
        printf("%s: ok\n", line->operands[i]);
    }
    return 0;
}

static int make_image(const struct fault *fault, const struct target *target, const char *output,
                      struct err *err)
{
    if (target->rootfs == NULL)
        return err_set(err, "%s: the target has no \"rootfs\"", target->path);
    auto_scratch struct scratch scratch = SCRATCH_INIT;
    auto_free char *partial = mem_printf("%s.new-%d", output, (int)getpid());
    if (path_exists(output))
        return err_set(err, "%s exists: it is not overwritten; remove it, or name another file",
                       output);
    if (scratch_init(&scratch, err) != 0 || file_copy_sparse(target->rootfs, partial, err) != 0)
        return -1;
    if ((!fault_changes_image(fault) || fault_apply_image(fault, partial, scratch.dir, err) == 0) &&
        rename(partial, output) == 0)
        return 0;
    (void)remove(partial);
    return -1;
}

static int image(const struct command_line *line, struct err *err)
{
    const char *name = command_value(line, "fault", NULL);
    const char *output = command_value(line, "output", NULL);
    const char *path = command_value(line, "target", "fixtures/targets/bundled.json");
    if (name == NULL || output == NULL)
        return err_set(err, "target image: --fault NAME and --output FILE are needed");
    auto_target struct target target;
    target_init(&target);
    auto_fault struct fault fault = {0};
    if (target_load(&target, path, err) != 0 ||
        fault_load(&fault, command_value(line, "faults", "fixtures/faults"), name, err) != 0 ||
        fault_for_guest(&fault, target.guest, err) != 0)
        return -1;
    return make_image(&fault, &target, output, err);
}

static int cmd_target_main(const struct command_line *line)
{
    static const struct {
        const char *name;
        int (*run)(const struct command_line *line, struct err *err);
    } actions[] = {{"init", init}, {"check", check}, {"image", image}};
    const char *name = line->n_operands > 0 ? line->operands[0] : "";
    struct err err = {0};
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, name) == 0)
            return actions[i].run(line, &err) == 0 ? EXIT_SUCCESS : say_error(&err);
    err_set(&err, "target: expected init, check or image, got \"%s\"", name);
    return say_error(&err);
}

static const struct command_option OPTIONS[] = {
    {'t', "target", "FILE", "image: the target (default: fixtures/targets/bundled.json)"},
    {'f', "fault", "NAME", "image: the fault to inject"},
    OPTION_FAULTS,
    {0, "output", "FILE", "image: the file to create"},
    {0},
};

const struct command cmd_target = {
    .name = "target",
    .synopsis = "init [FILE] | check FILE... | image --fault NAME --output FILE",
    .summary = "Writes and checks target files",
    .details = "init prints (or creates) a target with every member, its default and its meaning.\n"
               "check loads targets and runs their backend's pre-flight.\n"
               "image makes the root image that a boot with a fault starts from.",
    .options = OPTIONS,
    .run = cmd_target_main,
};
