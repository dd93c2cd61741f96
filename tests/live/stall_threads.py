# SPDX-License-Identifier: Apache-2.0
"""Makes threads of another process stand still for a while, as a debugger does; the rest runs on.

stall_threads.py MILLISECONDS TID...
"""
import ctypes
import os
import sys
import time

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # wait for threads, too

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of thread {thread}")


def main(milliseconds, threads):
    for thread in threads:
        ptrace(PTRACE_SEIZE, thread)
    for thread in threads:
        ptrace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
    time.sleep(milliseconds / 1000)
    for thread in threads:
        ptrace(PTRACE_DETACH, thread)


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(argument) for argument in sys.argv[2:]])
