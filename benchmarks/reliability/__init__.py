"""Reliability measured: bad inputs, kills, faults, and sizes. Results go to docs/reliability.md."""
