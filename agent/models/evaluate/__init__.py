"""How good a model is on annotated pictures, and whether engines find the same: COCO's scores, box-for-box parity."""
