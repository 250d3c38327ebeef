"""Every way in which a file of a sequence can be wrong is told with file, line, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import SequenceError
from agent.evaluation.following import read_followed
from agent.evaluation.sequence import read_sequence

INI = "[Sequence]\nframeRate=10\nseqLength=3\n"
GOOD = {
    "gt.txt": "1,1,10,10,20,40,1,1,1\n2,1,12,10,20,40,1,1,1\n",
    "det.txt": "1,-1,10,10,20,40,0.9,1\n2,-1,12,10,20,40,0.8,1\n",
    "results.txt": "1,1,10,10,20,40\n2,1,12,10,20,40\n",
    "seqinfo.ini": INI,
}
ROWS = [
    ("nan,1,10,10,20,40", "column 1 is 'nan'; allowed is a finite number"),
    ("2,1,10,10,20,inf", "column 6 is 'inf'; allowed is a finite number"),
    ("2,1,10,,20,40", "column 4 is empty; allowed is a finite number"),
    ("2,1,ten,10,20,40", "column 3 is 'ten'; allowed is a finite number"),
    ("frame,id,x,y,w,h", "column 1 is 'frame'; allowed is a finite number"),
    ("0,1,10,10,20,40", "the frame is 0; allowed is a whole number from 1 to 3, the sequence's length"),
    ("-1,1,10,10,20,40", "the frame is -1; allowed is a whole number from 1 to 3"),
    ("4,1,10,10,20,40", "the frame is 4; allowed is a whole number from 1 to 3"),
    ("1.5,1,10,10,20,40", "the frame is 1.5; allowed is a whole number"),
    ("2,1,2e9,10,20,40", "left is 2000000000; allowed is -1e+09 to 1e+09 pixels"),
    ("2,1,10,-2e9,20,40", "top is -2000000000; allowed is"),
    ("2,1,10,10,-20,40", "the width is -20; allowed is 0 to 1e+09 pixels"),
    ("2,1,10,10,20,-40", "the height is -40; allowed is 0 to 1e+09 pixels"),
]
IDENTITIES = [
    ("2,-1,10,10,20,40", "the identity is -1; allowed is a whole number from 0"),
    ("2,1.5,10,10,20,40", "the identity is 1.5; allowed is a whole number from 0"),
    ("1,1,90,10,20,40", "identity 1 is in frame 1 a second time, after line 1; allowed is once a frame"),
]
TAILS = {"gt.txt": ",1,1,1", "det.txt": ",0.5,1", "results.txt": ""}
CASES = [
    *((name, row + tail, told) for name, tail in TAILS.items() for row, told in ROWS),
    *((name, row + TAILS[name], told) for name in ("gt.txt", "results.txt") for row, told in IDENTITIES),
    ("gt.txt", "2,1,10,10,20", "5 columns; allowed is 6 or more: frame,id,left,top,width,height"),
    ("gt.txt", "2,1,10,10,20,40", "6 columns; allowed is as many as in line 1"),
    ("det.txt", "2,-1,10,10,20,40", "6 columns; allowed is 7 or more: frame,-1,left,top,width,height,score"),
    ("det.txt", "2,-1,10,10,20,40,nan,1", "column 7 is 'nan'"),
    ("results.txt", "2,1", "2 columns; allowed is 6 or more"),
]


def read(folder: Path) -> None:
    sequence = read_sequence(folder, "gate")
    read_followed(folder / "results.txt", sequence, every=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_is_good_is_taken(folder: Path) -> None:
    """So that every refusal below is about the one thing that is wrong."""
    read(folder)


@pytest.mark.parametrize(("name", "row", "told"), CASES)
def test_a_wrong_row(name: str, row: str, told: str, folder: Path) -> None:
    """The third line is wrong."""
    (folder / name).write_text(f"{GOOD[name]}{row}\n")

    with pytest.raises(SequenceError) as raised:
        read(folder)
    assert str(raised.value).startswith(f"{folder / name}:3: ")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gt.txt", b"", "gt.txt: the file is empty; allowed is a row a box"),
        ("det.txt", b"\n\n", "det.txt: the file is empty"),
        ("gt.txt", b"1,1,\xff\xfe", "gt.txt is not text: byte 4 is not UTF-8"),
        ("seqinfo.ini", b"frameRate=10\n", "seqinfo.ini:1: not an ini file; allowed is [Sequence]"),
        ("seqinfo.ini", b"[Other]\n", "seqinfo.ini: no section [Sequence]"),
        ("seqinfo.ini", b"[Sequence]\nseqLength=3\n", "no frame rate; name it in seqinfo.ini (frameRate) or with"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=fast\n", "frameRate is 'fast'; allowed is a number of frames a second"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=0\n", "frameRate is '0'; allowed is"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=nan\n", "frameRate is 'nan'; allowed is"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=9\nseqLength=2.5\n", "seqLength is '2.5'; allowed is a whole number"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=9\nseqLength=inf\n", "seqLength is 'inf'; allowed is a whole number"),
        ("seqinfo.ini", b"[Sequence]\nframeRate=9\nframeRate=9\n", "seqinfo.ini:3: not an ini file"),
        ("seq.json", b"{", "seq.json: not JSON"),
        ("seq.json", b"[]", "seq.json: not an object"),
        ("seq.json", b'{"fps": true}', "fps is True; allowed is a number of frames a second"),
        ("seq.json", b'{"fps": 9, "length": 0}', "length is 0; allowed is a whole number"),
        ("seq.json", b'{"fps": 9, "preproc": "yes"}', "preproc is 'yes'; allowed is true or false"),
    ],
)
def test_a_wrong_file(name: str, content: bytes, told: str, folder: Path) -> None:
    """As a whole, or in a key."""
    if name == "seq.json":
        (folder / "seqinfo.ini").unlink()
    (folder / name).write_bytes(content)

    with pytest.raises(SequenceError) as raised:
        read(folder)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gt.txt", "no ground truth; allowed is gt/gt.txt or gt.txt"),
        ("det.txt", "no detections; allowed is det/det.txt or det.txt"),
        ("results.txt", "results.txt cannot be read: No such file or directory"),
        ("seqinfo.ini", "no frame rate"),
    ],
)
def test_a_missing_file(name: str, told: str, folder: Path) -> None:
    """Told with the names that would do."""
    (folder / name).unlink()

    with pytest.raises(SequenceError, match=told):
        read(folder)
