"""What every command of this project shares while it runs: its root, whole files, signals, signs of life, exit codes.

Standard library only. `tools` prepares a checkout by it; jobs, export and the local run ship or import it.
"""
