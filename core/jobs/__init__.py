"""Jobs: every long piece of work is a frozen request and a function that carries it out and yields events.

========================  ==============================================================================================
``request``, ``options``  what a request is; how its fields look on the command line and in a form
``registry``              which function carries out which request
``stream``                events out of code that reports by a context, such as loops inside a library
``worker``, ``client``    a process that carries out jobs, and the one transport to it
========================  ==============================================================================================

What a job tells is in `core.events`, how it is stopped and paused in `core.cancel`. Whoever adds a job writes a request
and a function; the command line, the window and `--json` follow from them.
"""
