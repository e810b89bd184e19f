"""Deploys a bundle to a board over OpenSSH: connect → ask → copy → install → switch → report.

One file a stage; ``board/`` holds the programs that are sent along and run there.
"""
