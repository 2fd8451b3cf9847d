#include "host/files/locator_text.hpp"

#include <doctest/doctest.h>

using namespace vissl::host;

TEST_CASE("locator text: a password before a server is never shown") {
  CHECK(without_secrets("http://bob:HUNTER2@host/x.pth") == "http://bob:***@host/x.pth");
  CHECK(without_secrets("HTTPS://bob:a:b@c@host:80/x") == "HTTPS://bob:***@host:80/x");
  CHECK(without_secrets("https://ghp_TOKEN@host/x") == "https://***@host/x");
  CHECK(without_secrets("https://:TOKEN@host") == "https://:***@host");
  // Unescaped, as it is easily written.
  CHECK(without_secrets("http://bob:HUN/TER2@host/x") == "http://bob:***@host/x");
  CHECK(without_secrets("http://bob:HUN?TER2@host/x") == "http://bob:***@host/x");
  CHECK(without_secrets("http://bob:@host/x@y") == "http://bob:***@host/x@y");
  CHECK(without_secrets("word:s3://key:SECRET@bucket/x") == "word:s3://key:***@bucket/x");
}

TEST_CASE("locator text: the values of a query are never shown, its names and the fragment are") {
  CHECK(without_secrets("http://host/x.pth?token=SECRET") == "http://host/x.pth?token=***");
  CHECK(without_secrets("s3://b/x?a=1&SECRET&c=d=e#keep=trunk.") ==
        "s3://b/x?a=***&***&c=***#keep=trunk.");
  CHECK(without_secrets("http://host?next=http://u:p@other/?t=SECRET") == "http://host?next=***");
  CHECK(without_secrets("http://host/x?sig=ab+c%2F'd") == "http://host/x?sig=***");
}

TEST_CASE("locator text: secrets go from all addresses of a sentence, and nothing else does") {
  CHECK(without_secrets("'http://h/a?t=S': x; see (ftp://u:p@h/b?t=S), \"oss://b?t=S\". Why?") ==
        "'http://h/a?t=***': x; see (ftp://u:***@h/b?t=***), \"oss://b?t=***\". Why?");
  CHECK(without_secrets("http://a/x?t=S: HTTP 403\nhttp://b:c@d") ==
        "http://a/x?t=***: HTTP 403\nhttp://b:***@d");
  CHECK(without_secrets("http://a/,http://b:c@d") == "http://a/,http://b:***@d");
  for (const char* plain :
       {"", "://", "a://", "no address: a@b?c=d", "http://host:8080/a@b/x", "http://[::1]:80/a@b",
        "hf-hub:org/name@main/x.safetensors", "torchvision://resnet50", "file:///data/a?b=c@d:e",
        "FILE://u:p@h/x", "/data/a.pth?x=y", "http://host/x.pth#sha256=ab"})
    CHECK(without_secrets(plain) == plain);
}
