/* SPDX-License-Identifier: Apache-2.0 */
/* Tables. Where a number is a status and a signal, too, the name behind the slash decides. */
#include "analyzers/unit_exit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/chars.h"

enum { EXIT_SETUP_FIRST = 200, EXIT_EXEC = 203, EXIT_SETUP_LAST = 245 };

/* systemd has no 223, 234 and 244. */
static const struct {
    int number;
    const char *meaning;
} exits[] = {
    {126, "a program may not be executed"},
    {127, "a program was not found"},
    {200, "its working directory does not exist or may not be entered"},
    {201, "its scheduling priority could not be set"},
    {202, "its file descriptors could not be set up"},
    {203, "its program could not be executed"},
    {204, "there was no memory to start it"},
    {205, "its resource limits could not be set"},
    {206, "its OOM score could not be set"},
    {207, "its signal mask could not be set"},
    {208, "its standard input could not be set up"},
    {209, "its standard output could not be set up"},
    {210, "its root directory could not be entered"},
    {211, "its I/O priority could not be set"},
    {212, "its timer slack could not be set"},
    {213, "its secure bits could not be set"},
    {214, "its CPU scheduling could not be set"},
    {215, "its CPU affinity could not be set"},
    {216, "its group does not exist"},
    {217, "its user does not exist"},
    {218, "its capabilities could not be set"},
    {219, "its control group could not be set up"},
    {220, "it could not become a session leader"},
    {221, "its start was not confirmed"},
    {222, "its standard error could not be set up"},
    {224, "its PAM session could not be opened"},
    {225, "its network namespace could not be set up"},
    {226, "its mount namespace could not be set up (a path of its sandbox is missing)"},
    {227, "NoNewPrivileges= could not be set"},
    {228, "its system call filter could not be set"},
    {229, "its SELinux context could not be set"},
    {230, "its execution domain could not be set"},
    {231, "its AppArmor profile could not be set"},
    {232, "its address families could not be restricted"},
    {233, "its runtime directory could not be made"},
    {235, "the owner of its socket could not be changed"},
    {236, "its SMACK label could not be set"},
    {237, "its kernel keyring could not be set up"},
    {238, "its state directory could not be made"},
    {239, "its cache directory could not be made"},
    {240, "its logs directory could not be made"},
    {241, "its configuration directory could not be made"},
    {242, "its NUMA policy could not be set"},
    {243, "its credentials could not be set up"},
    {245, "its BPF restrictions could not be set"},
};

static const struct {
    const char *name, *meaning;
} signals[] = {
    {"HUP", "its terminal was hung up"},
    {"INT", "it was interrupted"},
    {"QUIT", "it was told to quit"},
    {"ILL", "illegal instruction"},
    {"TRAP", "it ran into a trap, as V8 does on a fatal error"},
    {"ABRT", "it aborted itself"},
    {"BUS", "bus error"},
    {"FPE", "arithmetic error"},
    {"KILL", "something killed it"},
    {"SEGV", "segmentation fault"},
    {"PIPE", "it wrote to a closed pipe"},
    {"ALRM", "its alarm went off"},
    {"TERM", "something asked it to end"},
    {"XCPU", "its CPU time limit was met"},
    {"XFSZ", "its file size limit was met"},
    {"SYS", "it made a forbidden system call"},
};

static const struct {
    const char *result, *meaning;
} results[] = {
    {"protocol", "it did not do what its Type= demands"},
    {"timeout", "it took longer than it may"},
    {"exit-code", "its process ended with an error"},
    {"signal", "its process died of a signal"},
    {"core-dump", "its process crashed"},
    {"watchdog", "its process stopped answering its watchdog"},
    {"start-limit-hit", "it was started too often"},
    {"resources", "something that it needs to be started is missing"},
    {"oom-kill", "the kernel killed it for its memory"},
    {"exec-condition", "its ExecCondition= did not hold"},
    {"dependency", "a unit that it requires failed"},
    {"condition", "its Condition...= does not hold"},
    {"assert", "its Assert...= does not hold"},
};

/* -1: it does not begin with a whole number. */
static int number_of(const char *status)
{
    char *end;
    if (!is_digit(status[0]) || strlen(status) > 32)
        return -1;
    long number = strtol(status, &end, 10);
    return (*end == '\0' || *end == '/') && number <= 255 ? (int)number : -1;
}

bool unit_exit_is_exec(const char *status)
{
    return number_of(status) == EXIT_EXEC;
}

bool unit_exit_is_setup(const char *status)
{
    int number = number_of(status);
    return number >= EXIT_SETUP_FIRST && number <= EXIT_SETUP_LAST && number != EXIT_EXEC;
}

bool unit_exit_is_signal(const char *code)
{
    return strcmp(code, "killed") == 0 || strcmp(code, "dumped") == 0;
}

const char *unit_exit_meaning(const char *status)
{
    const char *slash = strchr(status, '/');
    for (size_t i = 0; slash != NULL && i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(slash + 1, signals[i].name) == 0)
            return signals[i].meaning;
    int number = number_of(status);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        if (exits[i].number == number)
            return exits[i].meaning;
    return NULL;
}

const char *unit_result_meaning(const char *result)
{
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (strcmp(result, results[i].result) == 0)
            return results[i].meaning;
    return NULL;
}
