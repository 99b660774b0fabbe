#!/bin/sh
# Judges one candidate: sh judge.sh CANDIDATE.sh
# Equal candidates get equal answers after equal times, so that a campaign in ticket order has one outcome only.
. "$1"
s=$((9000 - 40*(A-6)*(A-6) - 30*(B-3)*(B-3) - 20*(C-7)*(C-7) - 10*(D-2)*(D-2) - 5*(E-5)*(E-5) - A - B + SHAPE))
head -c 2000 /dev/zero >"$TMPDIR/scratch.$$"
# One in four leaves a process of its own session behind, which only its keeper can find.
if [ $(((A + B + C + D + E) % 4)) -eq 0 ]; then
    setsid sleep 1000 >/dev/null 2>&1 &
fi
sleep 0.00$(((A*7 + B*5 + C*3 + D + E) % 10)) &
wait $!
echo "{\"correct\": true, \"score\": $((s / 1000)).$(printf %03d $((s % 1000)))}"
