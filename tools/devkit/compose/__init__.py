"""docker-compose.yml for real, on an engine and on images made here.

Images cannot be fetched everywhere, so those that the files name are made from Debian's packages and this machine's
toolchain, under the same names; the Dockerfile and the compose file are used as they are. All of it is kept under
.build/tools/compose for the next time.
"""
