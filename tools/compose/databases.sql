-- Run once, when the volume is new: a database for each service, owned by the role they share.
CREATE DATABASE orders;
CREATE DATABASE payments;
