#include <curl/curl.h>

/* libcurl sets everything by variadic functions, which Swift does not see. */

static inline CURLcode ccurl_set_long(CURL *curl, CURLoption option, long value) {
  return curl_easy_setopt(curl, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *curl, CURLoption option, const void *value) {
  return curl_easy_setopt(curl, option, value);
}

/* The answer's body is of no use. */
static size_t ccurl_discard(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  (void)context;
  return size * count;
}

static inline CURLcode ccurl_discard_body(CURL *curl) {
  return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ccurl_discard);
}

static inline long ccurl_response_code(CURL *curl) {
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  return code;
}
