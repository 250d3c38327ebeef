"""What `--help` tells: for the whole and for each verb what it does, what it ends with, and examples. Texts only."""

from __future__ import annotations

SITEWATCH = """\
An agent for one camera site. It looks at the machine, makes the model ready on
the fastest engine that works here, runs camera, detection and ByteTrack in
threaded stages, publishes events over MQTT and serves metrics on this machine.
"""

SITEWATCH_MORE = """\
files:
  SITE.yaml      one site: its cameras, model, broker. config/sites/example.yaml
                 explains every key; config/site.schema.json completes them in
                 an editor
  state folder   events that wait for the broker, and compiled engines:
                 `state_dir` in the site file, else $STATE_DIRECTORY, else
                 ~/.local/state/sitewatch/SITE

exit status:
   0  done, or stopped when asked
  64  the command line is wrong
  65  a clip gave less than it promised; what it gave is written. Or a recorded
      sequence is not as MOTChallenge has it
  66  a clip cannot be opened
  69  no engine on this machine can run the model, or what evaluates trackers is
      not installed
  70  a bug, or a stage that failed for good; worth a fresh start
  73  the state folder or an output file cannot be written, or another agent
      holds the state folder
  75  an address to serve on is taken
  78  the site file, or what it names, cannot be used; no restart mends that

examples:
  sitewatch check site.yaml
  sitewatch run site.yaml
  sitewatch replay clip.mp4 --model yolox_nano.onnx --video annotated.mp4

`sitewatch VERB --help` tells more of each verb.
"""

RUN = """\
Run a site until stopped: cameras, detection, tracking, events to the broker.
The log goes to standard error, as text on a terminal, else as JSON lines.
"""

RUN_MORE = """\
A camera or broker that is away ends nothing: it is tried again for ever, told
once with the reason, and meanwhile events wait in the state folder.

http:
  http://127.0.0.1:9464 unless the site file says otherwise: /metrics for
  Prometheus, /healthz, /readyz, /api/v1/status

signals:
  SIGTERM, SIGINT   stop: sources first, then every stage drains, then the broker
                    is told. A second one ends at once
  SIGHUP            read the site file anew, as a change of the file does too.
                    A mistake changes nothing; else cameras that are new, gone or
                    changed start, stop and start anew, another model is made
                    ready beside the old one, and the rest applies at once. What
                    cannot be started is rolled back. The log and the site's
                    retained status tell the outcome. Site, state_dir, http and
                    tracking.keep_over_restart wait for a restart

exit status:
  0 stopped when asked, or every clip played once has ended; 69 no engine can run
  the model; 70 a stage failed; 73 the state folder cannot be used; 75 a port is
  taken; 78 the site file, or what it names, cannot be used

examples:
  sitewatch run site.yaml
  STATE_DIRECTORY=/tmp/state sitewatch run site.yaml
"""

CHECK = """\
Check a site file and all that it names: every key, that model, labels, clips and
certificates can be read, that the model is of a known family and fits its labels.
Nothing is connected to, and nothing is written.
"""

CHECK_MORE = """\
Every mistake is one line: file, line, key, what was found, what is allowed and
what to do.

exit status:
  0 it is good; 78 it is not, with every mistake in one report on standard error

examples:
  sitewatch check site.yaml
  sitewatch check site.yaml --print
"""

PROBE = """\
Look at this machine and tell what it has, which run-times are installed, and in
which ways a model could run here: best first, `+` usable, `-` not, and why.
Needs no site file and changes nothing. With a site file it also tells which
engine the site would run, as `sitewatch build` does.
"""

PROBE_MORE = """\
json:
  machine, system, architecture, python   texts
  cpu_limit, memory_bytes                 what this process may use; null: unknown
  accelerators    kind, name, memory_bytes, driver, capability
  runtimes        name, version, availability {usable, reason}, devices
  candidates      runtime, kind, accelerator, availability; best first
  absent          kind, reason
  notes           findings a person should know
  vitals          load, memory, temperatures, power right now
  engines         with a site: what became of each, as of `sitewatch build`

exit status:
  0, whatever is found; with a site also those of `sitewatch build`

examples:
  sitewatch probe
  sitewatch probe --json | jq -r '.candidates[] | select(.availability.usable)'
"""

BUILD = """\
Make the site's model ready on every engine this machine has, ask each the same
pictures, and keep the best: the fastest, or the one the site file asks for. One
that finds other boxes than ONNX Runtime on the processor is refused. The next
start takes what was found out here, unless driver, run-time, power mode, model
or settings have changed. Run it as the user that runs the site.
"""

BUILD_MORE = """\
table:
  * chosen, + usable, - not; milliseconds of one inference, processor time of all
  threads, memory by which a process with this engine grew, and how far its boxes
  are from the reference's

exit status:
  0 done; 69 no engine can run the model; 78 the model, labels or site file
  cannot be used

examples:
  sitewatch build /etc/sitewatch/yard.yaml
  sitewatch build yard.yaml --anew --json | jq '.engines[] | {name, reason}'
"""

REPLAY = """\
Run a clip through detection, tracking and events: every frame, in order, as fast
as it goes. Without an output asked for it tells the rate and how many events.
"""

REPLAY_MORE = """\
Files appear whole or not at all; one that stands there is replaced.

exit status:
  0 done; 65 the clip is cut short, and what it gave is written; 66 the clip
  cannot be opened; 69 no engine can run the model; 73 an output cannot be
  written; 78 the model, labels or site file cannot be used

examples:
  sitewatch replay clip.mp4 --model yolox_nano.onnx --video annotated.mp4
  sitewatch replay clip.mp4 --model motion --events - | jq .label
  sitewatch replay clip.mp4 --site site.yaml --mot tracks.txt
"""

TRACK_EVAL = """\
Run the tracker over recorded sequences with ground truth and print how good it
is: to choose its parameters on a site's own recordings, or to compare it with
other trackers. Scores are TrackEval's, in per cent; each sequence has a row, and
several have one together.
"""

TRACK_EVAL_MORE = """\
sequences, as MOTChallenge has them; each FOLDER is one, or holds some in it or
two levels below:
  gt/gt.txt, gt.txt      frame,id,left,top,width,height[,considered,class,...]
  det/det.txt, det.txt   frame,-1,left,top,width,height,score[,class,...]
  seqinfo.ini, seq.json  frames a second and length; without it --frame-rate
  Frames count from 1, boxes are in pixels. Do not clip boxes to the picture.

columns:
  HOTA                   detection and identity together, over all overlaps; its
                         parts are DetA (found the objects) and AssA (kept them)
  MOTA, IDF1             misses, false boxes and switches; how long the identity
                         was right. Both at an overlap of 0.5
  switches, fragments    an object changed its identity; was lost and found again
  us/update              median microseconds of processor time that an update took

tuning:
  Lower the thresholds for small detectors, whose scores are low. Raise the
  patience where objects hide for long. --every 3 tells what a third of the
  frames would do. What is found goes into `tracking` of the site file.

speed:
  --speed simulates 10, 50, 200 and 1000 objects. Trackers of other packages run
  in an environment of their own and take turns with ours:
    python3 -m venv peers && peers/bin/pip install cjm-byte-track
    sitewatch track-eval --speed --peer-python peers/bin/python

json:
  every       which frames were looked at
  sets        name of a set to the parameters that were changed
  sequences   sequence, contestant, scores, false_positives, misses, update_us,
              frames, notes; combined the same
  speed       objects, tracker, update_us, of_peers

exit status:
  0 done; 65 a sequence or result is malformed, with file and line; 69 TrackEval
  is not installed, or a peer cannot be run; 73 an output cannot be written;
  78 the site file or a parameter cannot be used

examples:
  sitewatch track-eval recordings
  sitewatch track-eval recordings --high-threshold 0.5 --compare default
  sitewatch track-eval recordings --site site.yaml --every 3 --json
  sitewatch track-eval MOT17/train --results other-tracker/
"""

VERSION = """\
Print the version, and the Python and system it runs on.
"""

MODEL = """\
Tools for the model of a site: from a trained model to an engine on the box, and to a server when one
box is not enough. None of them is needed by `sitewatch run`."""

MODEL_MORE = """\
Each tool has its own page: sitewatch model TOOL --help. What a tool writes appears whole or not at all."""
