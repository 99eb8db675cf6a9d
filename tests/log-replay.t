#!/usr/bin/env bash
# A log of writes to a disk is replayed up to any entry, and one that is not right is refused before
# anything is written. Needs: perl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
replay=$PWD/${BUILD:-build}/tests/log-replay
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# log ENTRY...: a log, 512 bytes a sector. An entry is SECTOR:SECTORS:FLAGS:LENGTH:LETTER, the letter
# fills the data; "-" for none. Environment: MAGIC, VERSION, COUNT, SECTOR.
log()
{
    perl -e '
        my $sector = $ENV{SECTOR} // 512;
        my $text = "";
        for (@ARGV) {
            my ($at, $n, $flags, $len, $fill) = split /:/;
            $text .= pack("Q<4 x480", $at, $n, $flags, $len);
            $text .= $fill x (512 * $n) if $fill ne "-";
        }
        print pack("Q<Q<Q<L< x484", hex($ENV{MAGIC} // "6a736677736872"), $ENV{VERSION} // 1,
                   $ENV{COUNT} // scalar @ARGV, $sector), $text' "$@" >log
}

# disk: eight sectors of dots. shown: its sectors, a letter each.
disk() { printf '.%.0s' {1..4096} >disk; }
shown() { perl -0777 -ne 'print map { my %s = map { $_ => 1 } split //; keys %s > 1 ? "?" : $_ eq "\0" x 512 ? "0" : substr($_, 0, 1) } unpack("(a512)*")' disk; }

# becomes WANTED N [SEED]
becomes()
{
    local wanted=$1 out
    shift
    disk
    out=$("$replay" log disk "$@" 2>&1)
    is "$?:$out:$(shown)" "0::$wanted" "entries $*: $wanted"
}

log 0:2:0:0:a 6:1:0:0:b 0:0:1:0:- 1:1:0:0:c 2:2:4:0:- 0:0:8:5:- 7:1:2:0:d 4:1:16:0:e
is "$("$replay" log <(:) 2>&1 | grep -c .)" 1 "a disk that is no file is refused"
disk
is "$("$replay" log disk)" "1 write 1024 0
2 write 512 3072
3 flush 0 0
4 write 512 512
5 discard 1024 1024
6 mark 0 0
7 write-fua 512 3584
8 write 512 2048" "the entries of a log"
is "$(shown)" "........" "a list writes nothing"
becomes "........" 0
becomes "aa......" 1
becomes "aa....b." 2
becomes "aa....b." 3
becomes "ac....b." 4
becomes "ac00..b." 5
becomes "ac00..bd" 7
becomes "ac00e.bd" 8

# What a flush covers, and what went past the cache, is never lost.
seen=
for seed in {1..64}; do
    disk
    "$replay" log disk 8 $seed || break
    seen+=$(shown)$'\n'
done
seen=$(sort -u <<<"$seen" | sed '/^$/d')
is "$(grep -cvx 'a[ac]\(00\|\.\.\)[.e]\.bd' <<<"$seen")" 0 "with a seed, only writes of the cache are lost"
is "$(wc -l <<<"$seen")" 8 "all subsets of them in turn"
disk
"$replay" log disk 3 1
is "$(shown)" "aa....b." "none at a flush"

# refuses REGEX NAME [N]: and the disk stays as it was.
refuses()
{
    local out status
    disk
    out=$("$replay" log disk "${3:-1}" 2>&1)
    status=$?
    like "$status:$out:$(shown)" "^1:log-replay: log: $1:\.{8}$" "$2"
}

MAGIC=6a736677736873 log 0:1:0:0:a
refuses "no log of writes: magic 6a736677736873, wanted 6a736677736872" "another magic"
VERSION=2 log 0:1:0:0:a
refuses "a log of version 2, wanted 1" "another version"
for size in 0 511 513 768 131072 4294967295; do
    SECTOR=$size log 0:1:0:0:a
    refuses "sectors of $size bytes, wanted a power of two from 512 to 65536" "sectors of $size bytes"
done
SECTOR=8192 log 0:1:0:0:a
refuses "a disk of 4096 bytes has no whole sectors of 8192" "sectors larger than the disk"
log 0:1:0:0:a
printf x >>disk
refuses "has 1 entries, not 2" "more entries than there are" 2
for count in 3 18446744073709551615; do
    COUNT=$count log 0:1:0:0:a
    refuses ".*(entry 2: the log ends before it|$count entries in a log of 1536 bytes)" "a log of $count entries that holds one"
done
log 0:1:0:0:a 0:2:0:0:b
truncate -s -1 log
refuses "entry 2: the log ends in its data" "a log that was cut in its data"
truncate -s 1600 log
refuses "entry 2: the log ends before it" "and in its fields"
truncate -s 20 log
refuses "20 bytes are no log of writes" "and in its head"
: >log
disk
like "$("$replay" log disk 1 2>&1)" "^log-replay: log is empty$" "an empty log"
for place in 8:1 7:2 0:9 18446744073709551615:1 1:18446744073709551615 36028797018963968:1; do
    log 0:1:0:0:a "$place:4:0:-"
    refuses "entry 2: sectors ${place/:/ \\+ } of a disk of 8 sectors of 512 bytes" "sectors $place, beyond the disk"
done
log 0:1:0:0:a 8:1:0:0:b
refuses "entry 2: sectors 8 \+ 1 of a disk of 8 sectors of 512 bytes" "data beyond the disk"
log 0:1:0:0:a 0:1:32:0:b
refuses "entry 2: flags 20, wanted at most 1f" "flags that nobody knows"
log 0:1:0:0:a 0:1:0:7:b
refuses "entry 2: 7 bytes of inline data, wanted none" "inline data"
log 0:1:0:0:a 0:0:8:481:-
refuses "entry 2: a mark of 481 bytes in one sector" "a mark that is too long"
log 0:1:0:0:a 0:1:8:0:b
refuses "entry 2: a mark with 1 sectors" "a mark that writes"
log 0:1:0:0:a 0:0:0:0:-
refuses "entry 2: writes nothing" "an entry that does nothing"
out=$("$replay" log disk -1 2>&1)
is "$?:$out" "2:usage: log-replay LOG DISK [N [SEED]]" "a number that is none"
done_testing
