#!/bin/bash
# The server runs as the user redis, who owns what is in the folder; anything else runs as it is.
set -eu
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis {} +
  exec setpriv --reuid redis --regid redis --clear-groups "$@"
fi
exec "$@"
