"""Every model family sitewatch reads: a new one is one file beside this and one line here."""

from __future__ import annotations

from agent.detect.decoders import detr, end2end, nanodet, yolov5, yolov8, yolox
from agent.detect.decoders.decoder import Family

FAMILIES: tuple[Family, ...] = (
    yolox.FAMILY,
    yolov5.FAMILY,
    yolov8.FAMILY,
    end2end.FAMILY,
    detr.FAMILY,
    nanodet.FAMILY,
)
