#!/bin/sh
# Makes a root file system like that of debian:bookworm-slim: debian.sh DIRECTORY. It installs from where this machine does.
set -eu
debootstrap --variant=minbase --include=ca-certificates bookworm "$1"
cp -a /etc/apt/apt.conf.d/. "$1/etc/apt/apt.conf.d/"
rm -f "$1/etc/apt/apt.conf.d/20packagekit" "$1/etc/apt/apt.conf.d/50appstream"
# Whom this machine trusts: what is fetched from PyPI may come by way of somebody of its own.
cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
