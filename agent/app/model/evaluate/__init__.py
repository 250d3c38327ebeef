"""`sitewatch model eval`: COCO mAP on any engine, and parity between engines."""
