// Each function makes all its calls of OpenSSL in one call of C, so that they
// run on one thread: OpenSSL keeps its errors by thread.

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#if OPENSSL_VERSION_MAJOR < 3
#error "OpenSSL 3 is needed"
#endif

// last returns the reason of the last error, never 0, and forgets all errors.
static unsigned long last(void) {
	unsigned long reason = ERR_peek_last_error();
	ERR_clear_error();
	return reason ? reason : 1;
}

// load reads an RSA key of PKCS#8 DER; NULL: reason says why not.
static EVP_PKEY *load(const unsigned char *der, long size, unsigned long *reason) {
	ERR_clear_error();
	EVP_PKEY *key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &der, size);
	if (key == NULL) *reason = last();
	return key;
}

// sign signs a SHA-256 digest. It returns 0, or the reason of an error.
static unsigned long sign(EVP_PKEY *key, const unsigned char *digest, unsigned char *signature, size_t size) {
	ERR_clear_error();
	size_t made = size;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int ok = ctx != NULL
		&& EVP_PKEY_sign_init(ctx) > 0
		&& EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0
		&& EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0
		&& EVP_PKEY_sign(ctx, signature, &made, digest, 32) > 0
		&& made == size;
	unsigned long reason = ok ? 0 : last();
	EVP_PKEY_CTX_free(ctx);
	return reason;
}
