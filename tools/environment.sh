# Sourced by tools/demo and tools/test. `prepare [arguments of tools/environment.py]` finds a Python, makes .venv when it is
# missing or out of date, goes to the root of the repository, and defines `python`, the interpreter of .venv.

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local candidate
  if [ -n "${GEOOP_PYTHON:-}" ]; then  # an interpreter that was asked for is never replaced silently
    if is_recent "$GEOOP_PYTHON"; then bootstrap="$GEOOP_PYTHON" && return 0; fi
    echo "error: GEOOP_PYTHON=$GEOOP_PYTHON does not run, or is older than Python 3.11." >&2
    echo "  remedy: name another interpreter, or unset GEOOP_PYTHON to let one be found" >&2
    return 1
  fi
  for candidate in python3 python python3.11 python3.12 python3.13 python3.14; do
    if is_recent "$candidate"; then bootstrap="$candidate" && return 0; fi
  done
  echo "error: no Python 3.11 or newer found (looked for python3, python, python3.11 to python3.14)." >&2
  echo "  remedy: install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python)," >&2
  echo "          or name one: GEOOP_PYTHON=path/to/python3.11 tools/test" >&2
  return 1
}

prepare() {
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  find_python || exit 2
  "$bootstrap" tools/environment.py "$@" || exit $?

  python=.venv/bin/python
  if [ ! -x "$python" ]; then python=.venv/Scripts/python.exe; fi

  # Idle OpenMP threads that spin take the core from the thread that works: on two cores that costs more than waking them.
  export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

  # VTK tries X11 first and may crash where its library is missing; with EGL at hand it never needs X11.
  if [ -z "${VTK_DEFAULT_OPENGL_WINDOW:-}" ] && [ "$(uname -s)" = Linux ] \
    && "$python" -c 'import ctypes; ctypes.CDLL("libEGL.so.1")' >/dev/null 2>&1; then
    export VTK_DEFAULT_OPENGL_WINDOW=vtkEGLRenderWindow
  fi
}
