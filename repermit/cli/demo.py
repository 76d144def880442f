"""The whole path on this machine in about a minute: real parts, loopback only, time passed on."""
