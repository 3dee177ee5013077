#!/bin/sh
# Sets ISICGUI up if need be and opens its window. With arguments it runs a command instead, for example
#   ./run_isicgui.sh generate --classes MEL=2,NV=2 --output demo
#   ./run_isicgui.sh doctor
#   ./run_isicgui.sh test
self=$0
while [ -L "$self" ]; do
    target=$(readlink "$self")
    case $target in
        /*) self=$target ;;
        *) self=$(dirname "$self")/$target ;;
    esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P) || exit 1
export PYTHONUTF8=1

works() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' >/dev/null 2>&1
}

# Once set up, the environment's own Python is the quickest way; any other is only needed to make or repair it.
if [ -f "$here/.venv/isicgui-requirements.json" ] && [ -x "$here/.venv/bin/python" ]; then
    exec "$here/.venv/bin/python" "$here/bootstrap.py" "$@"
fi
for python in python3 python3.13 python3.12 python3.11 python3.10 python3.14 python; do
    if works "$python"; then
        exec "$python" "$here/bootstrap.py" "$@"
    fi
done
echo "ISICGUI needs Python 3.10 to 3.14, and none was found here." >&2
echo "Install one (python.org, or your system's package manager, for example: sudo apt-get install python3 python3-venv)" >&2
echo "and run the same command again." >&2
exit 1
