"""`plugandtell doctor`: what may be wrong on a machine, and what to do about each."""
