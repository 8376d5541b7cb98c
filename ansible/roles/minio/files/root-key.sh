#!/bin/sh
# Makes the store's root name and password. Only its unit and the tasks that make narrower keys read them.
set -eu
umask 077
cd /etc/minio/credentials
word() { head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c "$1"; }
printf 'root-%s' "$(word 12)" >root_user
printf '%s' "$(word 40)" >root_password.new
mv root_password.new root_password
