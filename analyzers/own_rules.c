/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the members that are text; the few others each have a line of their own. */
#include "analyzers/own_rules.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/chars.h"
#include "analyzers/stage.h"
#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"

static const double USUAL_CONFIDENCE = 0.9;

struct text_member {
    const char *key;
    size_t offset; /* of the const char * in struct rule */
    bool needed;
};

static const struct text_member texts[] = {
    {"id", offsetof(struct rule, id), true},
    {"layer", offsetof(struct rule, layer), false},
    {"cause", offsetof(struct rule, cause), false},
    {"milestone", offsetof(struct rule, milestone), false},
    {"pattern", offsetof(struct rule, pattern), true},
    {"literal", offsetof(struct rule, literal), false},
    {"summary", offsetof(struct rule, summary), true},
    {"remedy", offsetof(struct rule, remedy), false},
    {"sample", offsetof(struct rule, sample), false},
    {"near_miss", offsetof(struct rule, near_miss), false},
};
enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };

/* Words that stand for the values of an enum, numbered like them. */
struct word_member {
    const char *key;
    const char *words[6]; /* NULL-terminated */
};

static const struct word_member severity_words = {"severity",
                                                  {"mark", "note", "error", "fatal", NULL}};
static const struct word_member file_words = {"file", {"console", "vmm", NULL}};
static const struct word_member speaker_words = {
    "speaker", {"of-layer", "anyone", "kernel", "early", "systemd", NULL}};

static const char **text_of(struct rule *rule, const struct text_member *member)
{
    return (const char **)((char *)rule + member->offset);
}

void own_rules_release(struct own_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < N_TEXTS; k++)
            free((char *)*text_of(&rules->rules[i], &texts[k]));
    free(rules->rules);
    *rules = (struct own_rules){0};
}

/* ---- reading ---- */

static bool is_known(const char *key)
{
    static const char *const others[] = {"severity", "file", "speaker", "confidence", "death"};
    for (size_t i = 0; i < N_TEXTS; i++)
        if (strcmp(texts[i].key, key) == 0)
            return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i], key) == 0)
            return true;
    return false;
}

static int refuse_unknown(const json_t *object, const char *where, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)object, key, value) {
        if (!is_known(key))
            return err_set(err, "%s: \"%.60s\" is not a member of a rule", where, key);
    }
    return 0;
}

static int get_texts(const json_t *object, const char *where, struct rule *rule, struct err *err)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        char *text = NULL;
        if (json_get_text(object, texts[i].key, where, &text, err) != 0)
            return -1;
        *text_of(rule, &texts[i]) = text;
        if (text == NULL && texts[i].needed)
            return err_set(err, "%s: \"%s\" is missing", where, texts[i].key);
        if (text != NULL && text[0] == '\0')
            return err_set(err, "%s: \"%s\" is empty", where, texts[i].key);
        if (text != NULL && strlen(text) > OWN_RULES_MAX_TEXT)
            return err_set(err, "%s: \"%s\" is longer than %d bytes", where, texts[i].key,
                           OWN_RULES_MAX_TEXT);
    }
    return 0;
}

static int get_word(const json_t *object, const struct word_member *member, const char *where,
                    int *ret, struct err *err)
{
    auto_free char *text = NULL, *expected = NULL;
    if (json_get_text(object, member->key, where, &text, err) != 0 || text == NULL)
        return text == NULL && json_object_get(object, member->key) != NULL &&
                       !json_is_null(json_object_get(object, member->key))
                   ? -1
                   : 0;
    for (int i = 0; member->words[i] != NULL; i++) {
        if (strcmp(member->words[i], text) == 0) {
            *ret = i;
            return 0;
        }
        char *longer = mem_printf("%s%s%s", expected != NULL ? expected : "",
                                  expected != NULL ? ", " : "", member->words[i]);
        free(expected);
        expected = longer;
    }
    return err_set(err, "%s: \"%s\": expected one of %s, got \"%.60s\"", where, member->key,
                   expected, text);
}

static int get_words(const json_t *object, const char *where, struct rule *rule, struct err *err)
{
    int severity = SEVERITY_ERROR, file = RULE_CONSOLE, speaker = SPEAKER_OF_LAYER;
    if (get_word(object, &severity_words, where, &severity, err) != 0 ||
        get_word(object, &file_words, where, &file, err) != 0 ||
        get_word(object, &speaker_words, where, &speaker, err) != 0)
        return -1;
    rule->severity = (enum severity)severity;
    rule->file = (enum rule_file)file;
    rule->speaker = (enum speaker)speaker;
    return 0;
}

/* "x." and then words of small letters and digits, joined by '.' and '-'. */
static bool is_own_id(const char *id)
{
    enum { LONGEST = 80 };
    if (strncmp(id, "x.", 2) != 0 || strlen(id) > LONGEST)
        return false;
    for (const char *c = id + 2; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || is_digit(*c);
        bool joint =
            (*c == '.' || *c == '-') && c > id + 2 && c[1] != '\0' && c[-1] != '.' && c[-1] != '-';
        if (!letter && !joint)
            return false;
    }
    return id[2] != '\0';
}

static int check_cause(const struct rule *rule, const char *where, struct err *err)
{
    const char *cause = rule->cause;
    if (rule->layer != NULL && !cause_is_layer(rule->layer))
        return err_set(err, "%s: \"layer\": there is no layer \"%.60s\"", where, rule->layer);
    if (cause == NULL)
        return 0;
    if (strcmp(cause, "unknown") == 0 || (!is_own_id(cause) && cause_find(cause) == NULL))
        return err_set(err,
                       "%s: \"cause\": there is no cause \"%.60s\": `bootdiag list causes` shows "
                       "them, and ones of your own begin with \"x.\"",
                       where, cause);
    if (rule->layer != NULL && cause_find(cause) != NULL && !cause_in_layer(cause, rule->layer))
        return err_set(err, "%s: \"layer\": %s is not of the layer %s", where, cause, rule->layer);
    if (rule->severity == SEVERITY_MARK)
        return err_set(err,
                       "%s: \"severity\": a mark of a healthy boot cannot have a cause: expected "
                       "note, error or fatal",
                       where);
    return 0;
}

static int get_numbers(const json_t *object, const char *where, struct rule *rule, struct err *err)
{
    double confidence = rule->cause != NULL ? USUAL_CONFIDENCE : 0;
    if (json_get_real(object, "confidence", where, &confidence, err) != 0 ||
        json_get_bool(object, "death", where, &rule->death, err) != 0)
        return -1;
    if (!(confidence >= 0 && confidence <= 1) || (rule->cause != NULL && !(confidence > 0)))
        return err_set(err, "%s: \"confidence\": expected a number above 0 and up to 1, got %g",
                       where, confidence);
    rule->confidence = confidence;
    return 0;
}

static int get_rule(const json_t *object, const char *where, struct rule *rule, struct err *err)
{
    if (!json_is_object(object))
        return err_set(err, "%s: expected an object", where);
    const char *id = json_string_value(json_object_get(object, "id"));
    auto_free char *named = mem_printf("%s%s%.80s%s", where, id != NULL ? " (" : "",
                                       id != NULL ? id : "", id != NULL ? ")" : "");
    if (refuse_unknown(object, named, err) != 0 || get_texts(object, named, rule, err) != 0 ||
        get_words(object, named, rule, err) != 0 || check_cause(rule, named, err) != 0)
        return -1;
    if (!is_own_id(rule->id))
        return err_set(err,
                       "%s: \"id\": expected \"x.\" and small letters, digits, '-' and '.', as in "
                       "\"x.agent.licence-expired\"",
                       named);
    if (rule->milestone != NULL && stage_rank(rule->milestone) < 0)
        return err_set(err, "%s: \"milestone\": there is no milestone \"%.60s\"", named,
                       rule->milestone);
    return get_numbers(object, named, rule, err);
}

static int compare_ids(const void *a, const void *b)
{
    const struct rule *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static int refuse_twins(const struct own_rules *rules, const char *name, struct err *err)
{
    auto_free const struct rule **sorted = mem_calloc(rules->n + 1, sizeof(*sorted));
    for (size_t i = 0; i < rules->n; i++)
        sorted[i] = &rules->rules[i];
    qsort(sorted, rules->n, sizeof(*sorted), compare_ids);
    for (size_t i = 1; i < rules->n; i++)
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
            return err_set(err, "%s: the id %s stands there twice", name, sorted[i]->id);
    return 0;
}

/* For production's service: what stands for the service in a pattern is checked again for each. */
static int compile(const struct own_rules *rules, const char *name, struct err *err)
{
    auto_service struct service service;
    service_init(&service);
    const struct rule_table table = {rules->rules, rules->n};
    struct ruleset *compiled = ruleset_new_from(&table, 1, &service, err);
    if (compiled == NULL)
        return err_prefix(err, "%s", name);
    ruleset_free(compiled);
    return 0;
}

static int parse(struct own_rules *rules, const json_t *list, const char *name, struct err *err)
{
    if (json_array_size(list) > OWN_RULES_MAX)
        return err_set(err, "%s: more than %d rules", name, OWN_RULES_MAX);
    rules->rules = mem_calloc(json_array_size(list) + 1, sizeof(*rules->rules));
    while (rules->n < json_array_size(list)) {
        const json_t *object = json_array_get(list, rules->n);
        auto_free char *where = mem_printf("%s: rule %zu", name, rules->n + 1);
        if (get_rule(object, where, &rules->rules[rules->n++], err) != 0)
            return -1;
    }
    return refuse_twins(rules, name, err) != 0 ? -1 : compile(rules, name, err);
}

int own_rules_parse(struct own_rules *rules, const json_t *list, const char *name, struct err *err)
{
    *rules = (struct own_rules){0};
    int result = parse(rules, list, name, err);
    if (result != 0)
        own_rules_release(rules);
    return result;
}

/* ---- writing ---- */

json_t *own_rules_json(const struct rule *rule)
{
    json_t *object = json_object();
    for (size_t i = 0; i < N_TEXTS; i++) {
        const char *text = *text_of((struct rule *)rule, &texts[i]);
        if (text != NULL)
            json_object_set_new(object, texts[i].key, json_text(text));
    }
    if (rule->layer == NULL && rule->cause != NULL && cause_find(rule->cause) != NULL)
        json_object_set_new(object, "layer", json_string(cause_find(rule->cause)->layer));
    json_object_set_new(object, "severity", json_string(severity_words.words[rule->severity]));
    json_object_set_new(object, "file", json_string(file_words.words[rule->file]));
    if (rule->speaker != SPEAKER_OF_LAYER)
        json_object_set_new(object, "speaker", json_string(speaker_words.words[rule->speaker]));
    json_object_set_new(object, "confidence", json_real(rule->confidence));
    if (rule->death)
        json_object_set_new(object, "death", json_true());
    return object;
}
