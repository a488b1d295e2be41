#!/bin/sh
# A talk whose words are wrong must fail (status 1) and name its line: expect.sh LINLI TALK
# The talk's first line says which: "# fails at line N: words of the reason" or
# "# mistaken at line N: words of the reason" (status 2).
set -u
kind=$(sed -n '1s/^# \([a-z]*\) at line .*/\1/p' "$2")
line=$(sed -n '1s/^# [a-z]* at line \([0-9]*\):.*/\1/p' "$2")
reason=$(sed -n '1s/^# [a-z]* at line [0-9]*: //p' "$2")
case $kind in
fails) status=1 ;;
mistaken) status=2 ;;
*) echo "$2: the first line does not say what must go wrong" && exit 1 ;;
esac
said=$("$1" rehearse --quiet "$2" 2>&1)
got=$?
echo "$said"
if [ "$got" -ne "$status" ]; then
	echo "expected status $status, got $got"
	exit 1
fi
echo "$said" | grep -F "$2:$line:" >/dev/null || { echo "line $line is not named" && exit 1; }
echo "$said" | grep -F "$reason" >/dev/null || { echo "\"$reason\" is not said" && exit 1; }
