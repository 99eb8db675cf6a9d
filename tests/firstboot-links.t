#!/usr/bin/env bash
# firstboot on roots whose links lead out, with openat2 and as on a kernel without it: whatever they
# say, all is read and written inside. Needs: strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/fake-root.sh
begin_fake_root

# finish [STRACE...]: a run, under strace when it has options; sets out and status.
finish()
{
    [ $# -eq 0 ] || set -- strace -qq -o "$tmp/trace" "$@"
    out=$(timeout 20 "$@" "$firstboot" --root "$R" --facts "$tmp/facts" 2>&1 </dev/null)
    status=$?
}

# A folder outside that a run is lured to, by its absolute path and by `..`; nothing in it changes.
make_lure()
{
    rm -rf "$tmp/lure"
    mkdir -p "$tmp/lure/net.d" "$tmp/lure/multi-user.target.wants"
    echo precious >"$tmp/lure/victim"
    echo 'root:$6$hash' >"$tmp/lure/shadow"
    lure=$(content "$tmp/lure")
}

up=../../../../../../../../../../../../../../..

hostile()
{
    make_root "$R"
    make_lure
    # Directories: an absolute link and one with `..`, both to what the root holds under that path.
    mkdir -p "$R$tmp/lure/net.d" "$R/real/systemd/system"
    rmdir "$R/etc/systemd/system" "$R/etc/systemd"
    ln -s "$tmp/lure" "$R/etc/cni"
    ln -s "$up$tmp/lure" "$R/var/lib/kubelet"
    ln -s /real/systemd "$R/etc/systemd"
    # Destinations that are links themselves.
    ln -sf "$tmp/lure/victim" "$R/etc/hostname"
    ln -s "../$up$tmp/lure/victim" "$R/etc/hosts"
    # Left-overs under the temporary names: a link, a second name, a FIFO.
    ln -s "$tmp/lure/victim" "$R/etc/.hostname.nodebake"
    ln "$tmp/lure/victim" "$R/etc/.hosts.nodebake"
    mkfifo "$R$tmp/lure/.kubeconfig.nodebake"
    mkdir -p "$R/real/systemd/system/multi-user.target.wants"
    ln -s "$tmp/lure/victim" "$R/real/systemd/system/multi-user.target.wants/.kubelet.service.nodebake"
}

# inside NAME: the hostile root was finished, and nothing left it.
inside()
{
    is "$status" 0 "$1: the run succeeds"
    [ "$status" -eq 0 ] || diag "$out"
    is "$(content "$tmp/lure")" "$lure" "$1: nothing outside changed"
    is "$(<"$R$tmp/lure/net.d/10-bridge.conf")" '{
  "name": "bridge",
  "subnet": "10.200.0.0/24"
}' "$1: an absolute link to a directory stays inside"
    is "$(stat -c '%F %a' "$R$tmp/lure/kubeconfig" "$R$tmp/lure/worker-0-key.pem")" \
        "regular file 600
regular file 600" "$1: a link with .. stays inside"
    is "$(readlink "$R/real/systemd/system/multi-user.target.wants/kubelet.service")" \
        /etc/systemd/system/kubelet.service "$1: units are enabled through a link"
    is "$(stat -c '%F %h' "$R/etc/hostname" "$R/etc/hosts")" "regular file 1
regular file 1" "$1: destinations that were links are files now"
    is "$(<"$R/etc/hostname")" worker-0 "$1: with their own content"
    is "$(left_over "$R")" "" "$1: left-overs are gone"
}

hostile
finish
inside "openat2"
content "$R" >"$tmp/reference"
hostile
finish -e trace=openat2 -e inject=openat2:error=ENOSYS
inside "without openat2"
is "$(grep -c openat2 "$tmp/trace")" 1 "without openat2: it is tried once"
diff -u "$tmp/reference" <(content "$R") >"$tmp/diff"
ok $? "without openat2: the same bytes"
diag "$(<"$tmp/diff")"
make_root "$R"
finish
content "$R" >"$tmp/reference"
make_root "$R"
finish -e trace=openat2 -e inject=openat2:error=ENOSYS
diff -u "$tmp/reference" <(content "$R") >"$tmp/diff"
ok $? "without openat2, an ordinary root: the same bytes"
make_root "$R"
finish -e trace=openat2 -e inject=openat2:error=EAGAIN:when=3..5
like "$status:$out" "^0:.*is ready" "a race that openat2 saw is tried again"
make_root "$R"
finish -e trace=openat2 -e inject=openat2:error=EAGAIN:when=3+
like "$status:$out" "^1:.*Resource temporarily unavailable; nothing was enabled" "but not for ever"

# What is read may not come from outside either.
for what in templates/etc/hosts identity/worker-0.pem contract; do
    for inject in "" -e\ trace=openat2\ -e\ inject=openat2:error=ENOSYS; do
        make_root "$R"
        make_lure
        ln -sf "$tmp/lure/shadow" "$R/usr/lib/nodebake/$what"
        # shellcheck disable=SC2086
        finish $inject
        like "$status:$out" "^1:nodebake: firstboot: .* missing.*; nothing was enabled$" \
            "$what as a link that leads out is missing${inject:+, without openat2}"
        is "$(grep -rl 'hash' "$R")" "" "and nothing of its target is in the root"
    done
done
make_root "$R"
mkfifo "$R/usr/lib/nodebake/identity/fifo"
mv "$R/usr/lib/nodebake/identity/fifo" "$R/usr/lib/nodebake/identity/worker-0.pem"
finish
like "$status:$out" "^1:.*/identity/worker-0.pem: not a regular file; nothing was enabled$" \
    "a FIFO is not waited for"

# Links that lead nowhere, or round and round.
for inject in "" -e\ trace=openat2\ -e\ inject=openat2:error=ENOSYS; do
    make_root "$R"
    ln -s /nowhere "$R/etc/cni"
    # shellcheck disable=SC2086
    finish $inject
    like "$status:$out" "^1:.*/etc/cni: a link that leads nowhere; right is a directory; nothing was enabled$" \
        "a directory that is a dangling link is refused${inject:+, without openat2}"
    make_root "$R"
    ln -s cni "$R/etc/cni"
    # shellcheck disable=SC2086
    finish $inject
    like "$status:$out" "^1:.*/etc/cni/net.d: (Too many levels of symbolic links|Symbolic link loop); nothing was enabled$" \
        "a loop is refused${inject:+, without openat2}"
    make_root "$R"
    echo file >"$R/etc/cni"
    # shellcheck disable=SC2086
    finish $inject
    like "$status:$out" "^1:.*/etc/cni/net.d: Not a directory; nothing was enabled$" \
        "a file in the place of a directory is refused${inject:+, without openat2}"
done

done_testing
