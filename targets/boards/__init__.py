"""Boards, one file each, found by their ``TARGET``: a new one needs no other line of code."""
