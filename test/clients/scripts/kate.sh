#!/bin/sh
# Run by kate.client.ts within an X server and a D-Bus session of their own, in the folder of the cases.
# Arguments: the file with what the server says, and for each case its name and the rules to wait for.
log=$1
shift

# One message of the server a line.
messages() {
  sed 's/Content-Length/\n&/g' "$log" 2>/dev/null
}

# Waits until a message holds every one of the texts.
await() {
  for _ in $(seq 300); do
    found=$(messages)
    for text in "$@"; do
      found=$(printf '%s\n' "$found" | grep -F -- "$text")
    done
    [ -n "$found" ] && return
    sleep 0.1
  done
  echo "waited in vain for $*" >&2
  exit 1
}

# Runs an entry of Kate's menus by its name.
choose() {
  xdotool key ctrl+alt+i
  sleep 1
  xdotool type "$1"
  sleep 1
  xdotool key Return
}

# Kate ends by its own will: it would ask what to do with changes.
leave() {
  xdotool key ctrl+q
  wait $kate
}

kate=
trap '[ -z "$kate" ] || kill $kate 2>/dev/null' EXIT
for case in "$@"; do
  [ -z "$kate" ] || leave
  name=${case%%:*}
  kate --startanon --new "$name/Modelfile" &
  kate=$!
  await "/$name/Modelfile\"" publishDiagnostics "\"code\":\"${case##*:}\""
  sleep 1
done

# The last case, many-cards, is laid out and gets a line from completion.
xdotool key ctrl+End
xdotool type "parameter temperature    0.5  "
sleep 1
xdotool key Escape
choose "format"
await '"newText":"PARAMETER"' '"newText":""'
sleep 1
xdotool key ctrl+End
xdotool type "PARAMETER num_ct"
xdotool key Escape
xdotool key ctrl+space
await '"label":"num_ctx"'
sleep 1
xdotool key Return
sleep 1
xdotool key ctrl+s
sleep 1
leave
kate=
