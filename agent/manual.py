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
  65  a clip gave less than it promised; what it gave is written
  66  a clip cannot be opened
  69  no engine on this machine can run the model
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
Needs no site file and changes nothing.
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

exit status:
  0, whatever is found

examples:
  sitewatch probe
  sitewatch probe --json | jq -r '.candidates[] | select(.availability.usable)'
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

VERSION = """\
Print the version, and the Python and system it runs on.
"""
