# shellcheck shell=bash
# The services of the private network: addresses, names and instance metadata. To be sourced by what
# `net` runs, after host.sh.

net_domain=c.kubernetes-the-hard-way.internal # as the metadata service calls it

# mac_of ADDRESS: as GCE makes them, 42:01 and the address.
mac_of() {
    local a b c d
    IFS=. read -r a b c d <<<"$1"
    printf '42:01:%02x:%02x:%02x:%02x\n' "$a" "$b" "$c" "$d"
}

net_options=() # more of dnsmasq's

# net_services_start: leases only for those that net_host names, as on GCE: a /32, so that all goes
# through the router, whose own route is given too; and a name server at the metadata service's
# address, which knows that service (kubelet asks for it by name) and the machines.
net_services_start() {
    mkdir -p "$NB_RUN/dhcp/hosts"
    # --no-daemon also means: keep the user; there is no other in this namespace.
    dnsmasq --no-daemon --conf-file=/dev/null --interface=br0 --bind-interfaces \
        --no-hosts --no-resolv --domain="$net_domain" --local="/$net_domain/" \
        --host-record=metadata.google.internal,169.254.169.254 \
        --no-ping --log-dhcp --dhcp-authoritative --dhcp-leasefile="$NB_RUN/dhcp/leases" \
        --dhcp-range=10.240.0.0,static,255.255.255.0,86400 \
        --dhcp-option=option:netmask,255.255.255.255 --dhcp-option=option:router,10.240.0.1 \
        --dhcp-option=option:classless-static-route,10.240.0.1/32,0.0.0.0,0.0.0.0/0,10.240.0.1 \
        --dhcp-option=option:mtu,1460 --dhcp-option=option:dns-server,169.254.169.254 \
        --dhcp-hostsdir="$NB_RUN/dhcp/hosts" "${net_options[@]}" \
        >>"$NB_RUN/dnsmasq.log" 2>&1 &
    dnsmasq_pid=$!
    sleep 0.2
    kill -0 "$dnsmasq_pid" || die "dnsmasq did not start: $(<"$NB_RUN/dnsmasq.log")"
}

# net_host NAME ADDRESS: from now on the machine with the address's MAC gets it, and the name as host
# name (option 12). dnsmasq sees new files in its folder by itself.
net_host() {
    printf '%s,set:%s,%s,%s\n' "$(mac_of "$2")" "$1" "$2" "$1" >"$NB_RUN/dhcp/hosts/$1"
}

# net_rename_host NAME SENT: from now on its machine is told another host name, of any length, whether
# it asks or not.
net_rename_host() {
    net_options+=("--dhcp-option-force=tag:$1,12,$2")
    net_services_restart
}

# Once it has given out leases, dnsmasq 2.90 reads its files again only to end by SIGSEGV.
net_services_restart() {
    kill "$dnsmasq_pid"
    wait "$dnsmasq_pid" || true
    net_services_start
}

# net_forget_host NAME: its machine asks for an address in vain.
net_forget_host() {
    rm "$NB_RUN/dhcp/hosts/$1"
    net_services_restart
}

# metadata_start CLUSTER-FILE [OPTION…]: answers each machine according to its address.
metadata_start() {
    # shellcheck disable=SC2154 # lib.sh's
    "$nodebake" metadata --cluster "$1" --listen 169.254.169.254:80 "${@:2}" \
        >"$NB_RUN/metadata.log" 2>&1 &
    metadata_pid=$!
    local try
    for ((try = 0; try < 50; try++)); do
        (: <>/dev/tcp/169.254.169.254/80) 2>/dev/null && return
        kill -0 "$metadata_pid" 2>/dev/null || break
        sleep 0.2
    done
    die "the metadata service did not start: $(cat "$NB_RUN/metadata.log")"
}

# net_is_closed: nothing can leave: every link is the loopback, the bridge or a tap, and there is no
# way to an address outside.
net_is_closed() {
    ip -json -details link | jq -e 'all(.ifname == "lo" or .linkinfo.info_kind == "bridge" or
        .linkinfo.info_kind == "tun")' &&
        ! ip route get 192.0.2.1 2>&1 && ! ip -6 route get 2001:db8::1 2>&1
}
