#!/bin/sh
# Makes sample.flac beside this script, from nothing but espeak-ng and sox: the same bytes every time, as long as
# these two stay the same. See README.md.
#   usage: assets/make_sample.sh [FILE]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-"$here/sample.flac"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { # NAME TEXT: one sentence, cut where the voice starts and ends, at an even loudness
    espeak-ng -v en-us -s 160 -w "$work/raw.wav" "$2"
    sox -R "$work/raw.wav" -b 16 -r 16000 -c 1 "$work/$1.wav" \
        silence 1 0.005 0.3% reverse silence 1 0.005 0.3% reverse gain -n -6
    echo "$1 $(soxi -s "$work/$1.wav") samples: $2" >&2
}

pause() { # NAME SECONDS
    sox -R -n -b 16 -r 16000 -c 1 "$work/$1.wav" trim 0 "$2"
}

say one "Plug and Tell writes down what you say."
say two "A short pause stays in the recording."
say three "Three seconds of silence end it, and a new recording begins."
say four "Two and a half seconds do not."
say five "This is the third recording."
pause before 0.6
pause short 1.5
pause medium 2.5
pause long 4.0
pause after 0.8

cd "$work"
sox -R before.wav one.wav short.wav two.wav long.wav three.wav medium.wav four.wav long.wav five.wav after.wav speech.wav
# With this gain the noise has -65 dBFS (RMS), the hiss of a quiet room.
sox -R -n -b 16 -r 16000 -c 1 noise.wav synth "$(soxi -s speech.wav)s" whitenoise gain -55.2
sox -R -m -v 1 speech.wav -v 1 noise.wav -b 16 --comment "PlugAndTell sample, made by make_sample.sh" -C 8 sample.flac
cp sample.flac "$out"
