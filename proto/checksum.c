#include "checksum.h"
#include "text.h"

#include <sodium.h>

void sha256_text(const void *data, size_t size, char out[SHA256_TEXT_SIZE])
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(sum, data, size);
	hex_format(sum, sizeof sum, out);
}
