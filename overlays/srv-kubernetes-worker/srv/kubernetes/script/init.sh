#!/bin/sh
# Makes this machine a node by hand: what firstboot does in the initramfs of a machine that was just
# launched. Ends with 2, and changes nothing, when the lock is there: then it was done before. The
# lock is a link to firstboot's stamp, so it is there exactly as long as the stamp is.
set -eu
root=${NODEBAKE_ROOT:-} # another one is for tests
lock=$root/srv/kubernetes/.lock

[ ! -e "$lock" ] || exit 2
if [ "$(id -u)" -ne 0 ] && [ -z "$root" ]; then
    echo "init.sh: only root makes a node" >&2
    exit 1
fi
"$root/usr/lib/nodebake/firstboot" --root "$root/"
# Somebody may have removed the link instead of what it leads to.
[ -L "$lock" ] || ln -sfn ../../var/lib/nodebake/stamp "$lock"
systemctl daemon-reload
hostnamectl set-hostname "$(cat "$root/etc/hostname")"
systemctl restart @RUNTIME_UNIT@ kubelet.service kube-proxy.service nodebake-bootstrap.service
