#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/cluster/flag-table.h"
#include "builder/heap.h"
#include "builder/plan/flags.h"

static const char KUBELET[] = "[Service]\n"
                              "ExecStart=/usr/local/bin/kubelet \\\n"
                              "  --config=/a \\\n"
                              "  --container-runtime=remote \\\n"
                              "  --network-plugin=cni \\\n"
                              "  --v=2 @LABELS@\n"
                              "Restart=on-failure\n";

/* What becomes of a text; the caller frees it. NULL: refused. */
static char *fit(const char *text, bool own, unsigned minor, struct texts *remarks,
                 struct error *err)
{
    const struct flags_unit unit = {.place = "unit", .own = own, .minor = minor};
    struct buffer buffer AUTO_BUFFER = buffer_heap();
    buffer_puts(&buffer, text);
    return flags_fit(&unit, &buffer, remarks, err) < 0 ? NULL : steal(buffer.data);
}

static void becomes(const char *text, unsigned minor, const char *wanted, const char *remark)
{
    struct error err = ERROR_INIT;
    struct texts remarks AUTO_TEXTS = {0};
    char *got AUTO_FREE = fit(text, false, minor, &remarks, &err);
    if (!got)
        fail_msg("%s", err.text);
    assert_string_equal(got, wanted);
    assert_int_equal(remarks.count > 0, remark != NULL);
    if (remark)
        assert_string_equal(remarks.items[0], remark);
}

static void refused(const char *text, unsigned minor, const char *why)
{
    struct error err = ERROR_INIT;
    struct texts remarks AUTO_TEXTS = {0};
    char *got AUTO_FREE = fit(text, true, minor, &remarks, &err);
    assert_null(got);
    assert_string_equal(err.text, why);
}

static void ours_lose_what_a_version_lacks(void **state)
{
    (void)state;
    becomes(KUBELET, 23, KUBELET, NULL);
    becomes(KUBELET, 24,
            "[Service]\n"
            "ExecStart=/usr/local/bin/kubelet \\\n"
            "  --config=/a \\\n"
            "  --container-runtime=remote \\\n"
            "  --v=2 @LABELS@\n"
            "Restart=on-failure\n",
            "kubelet 1.24 has no --network-plugin: left out");
    becomes(KUBELET, 27,
            "[Service]\n"
            "ExecStart=/usr/local/bin/kubelet \\\n"
            "  --config=/a \\\n"
            "  --v=2 @LABELS@\n"
            "Restart=on-failure\n",
            "kubelet 1.27 has no --container-runtime: left out");
    /* The last of them, and several on a line. */
    becomes("ExecStart=/bin/kubelet --config=/a --network-plugin=cni \\\n  --docker-endpoint=x\n",
            24, "ExecStart=/bin/kubelet --config=/a\n",
            "kubelet 1.24 has no --network-plugin: left out");
    becomes("ExecStart=kube-apiserver \\\n --apiserver-count=3", 24, "ExecStart=kube-apiserver",
            "kube-apiserver 1.24 does not need --apiserver-count: left out");
}

static void others_are_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "ExecStart=",
        "ExecStart=\\\n",
        "ExecStart =",
        "ExecStarts=/bin/kubelet --network-plugin=cni\n",
        "ExecStart=/bin/other --network-plugin=cni\n",
        "# ExecStart=/bin/kubelet --network-plugin=cni\n",
        "ExecStartPre=/bin/kubelet --network-plugin=cni\n",
        "ExecStart=/bin/kubelet --node-labels='a --network-plugin=b'\n--network-plugin=cni\n",
        "ExecStart=/bin/kubelet \\\n  # --network-plugin=cni\n  --v=2\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        becomes(texts[i], 36, texts[i], NULL);
}

static void users_are_refused_by_name_and_line(void **state)
{
    (void)state;
    refused(KUBELET, 27,
            "unit:4: kubelet 1.27 has no --container-runtime (it went in 1.27, see "
            "https://github.com/kubernetes/kubernetes/pull/114017); remove it: there is only "
            "`remote`");
    refused("[Service]\nExecStart=\nExecStart=-@/bin/kubelet kubelet \"--log-dir=/a b\"\n", 26,
            "unit:3: kubelet 1.26 has no --log-dir (it went in 1.26, see "
            "https://github.com/kubernetes/kubernetes/pull/112120); the journal has what it says");
    refused("ExecStart = /bin/kubelet --pod_infra_container_image=pause\n", 35,
            "unit:1: kubelet 1.35 has no --pod-infra-container-image (it went in 1.35, see "
            "https://github.com/kubernetes/kubernetes/pull/133779); containerd's sandbox image is "
            "the release's");
    refused("ExecStart=/bin/kubelet -allow-privileged\n", 20,
            "unit:1: kubelet 1.20 has no --allow-privileged (it went in 1.15, see "
            "https://github.com/kubernetes/kubernetes/pull/77820); remove it");
}

static void users_may_have_what_we_do_not_know(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct texts remarks AUTO_TEXTS = {0};
    static const char text[] = "ExecStart=/bin/kubelet --config=/a \\\n --max-pods=5 "
                               "--container-runtime-endpoint=unix:///a\n";
    char *got AUTO_FREE = fit(text, true, 30, &remarks, &err);
    assert_string_equal(got, text);
    assert_int_equal(remarks.count, 1);
    assert_string_equal(remarks.items[0],
                        "unit:2: whether kubelet 1.30 has --max-pods is not known here");
    assert_null(fit(text, false, 30, &remarks, &err));
    assert_string_equal(err.text, "unit:2: --max-pods of kubelet is not in the table of flags");
}

static void users_flags_join_ours_or_take_their_places(void **state)
{
    (void)state;
    static struct flag_setting flags[] = {{"kubelet", "v", "4", 7},
                                          {"kubelet", "config", "/b", 8},
                                          {"kube-proxy", "v", "5", 9},
                                          {"kubelet", "allow-privileged", "true", 10}};
    struct settings settings = {.flags = flags, .flag_count = 3};
    struct flags_unit unit = {"unit", false, 23, "cluster.yaml", &settings};
    struct error err = ERROR_INIT;
    struct texts remarks AUTO_TEXTS = {0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, KUBELET);
    assert_int_equal(flags_fit(&unit, &text, &remarks, &err), 0);
    assert_string_equal(text.data, "[Service]\n"
                                   "ExecStart=/usr/local/bin/kubelet \\\n"
                                   "  --container-runtime=remote \\\n"
                                   "  --network-plugin=cni @LABELS@ \\\n"
                                   "  --v=4 \\\n"
                                   "  --config=/b\n"
                                   "Restart=on-failure\n");
    settings.flag_count = 4;
    assert_int_equal(flags_fit(&unit, &text, &remarks, &err), -1);
    assert_string_equal(err.text,
                        "cluster.yaml:10: kubelet 1.23 has no --allow-privileged (it went in 1.15, "
                        "see https://github.com/kubernetes/kubernetes/pull/77820); remove it");
}

static void units_are_told_by_their_path(void **state)
{
    (void)state;
    assert_true(flags_are_in("/etc/systemd/system/kubelet.service"));
    assert_true(flags_are_in("/usr/lib/systemd/system/kubelet.service"));
    assert_true(flags_are_in("/etc/systemd/system/kubelet.service.d/10-site.conf"));
    assert_false(flags_are_in("/etc/systemd/system/kubelet.timer"));
    assert_false(flags_are_in("/etc/systemd/journald.conf.d/a.conf"));
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; flag_at(i); i++) {
        const struct flag_row *row = flag_at(i);
        assert_true(strncmp(row->source, "https://", 8) == 0);
        assert_true(row->flag[0] != '-');
        assert_true(row->to == 0 || row->ours_to == 0 || row->ours_to < row->to);
        for (size_t k = 0; k < i; k++)
            assert_false(strcmp(flag_at(k)->flag, row->flag) == 0 &&
                         strcmp(flag_at(k)->component, row->component) == 0);
        if (row->component[0] != '*')
            assert_ptr_equal(flag_find(row->component, row->flag), row);
    }
    assert_null(flag_find("kube-proxy", "network-plugin"));
    assert_non_null(flag_find("kube-proxy", "logtostderr"));
    assert_true(flag_component("kubelet"));
    assert_false(flag_component("etcd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_lose_what_a_version_lacks),
        cmocka_unit_test(others_are_left_alone),
        cmocka_unit_test(users_are_refused_by_name_and_line),
        cmocka_unit_test(users_may_have_what_we_do_not_know),
        cmocka_unit_test(users_flags_join_ours_or_take_their_places),
        cmocka_unit_test(units_are_told_by_their_path),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
