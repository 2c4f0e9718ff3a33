// Everything in this module is generated, at build time, from the schemas that schemas.txt names. This file is here
// because a target needs one.
