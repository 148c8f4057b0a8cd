//! TLS: which certificates are trusted.

#[cfg(feature = "tls")]
use std::sync::Arc;

#[cfg(feature = "tls")]
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Returns whether this program speaks TLS.
pub fn is_there() -> bool {
    cfg!(feature = "tls")
}

/// Returns the settings of TLS: servers are trusted by the certificates of this computer, to which a company may have added
/// its own, or by those in `SSL_CERT_FILE` and `SSL_CERT_DIR`. A computer that has none, as a small container, trusts what
/// browsers do.
///
/// # Errors
///
/// Fails if those variables name nothing that can be read: what they are to change must not be left out silently.
#[cfg(feature = "tls")]
pub fn config() -> Result<TlsConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let is_named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some());
    if is_named && found.certs.is_empty() {
        let cause = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("SSL_CERT_FILE and SSL_CERT_DIR name no certificate that can be read{cause}"));
    }
    let certificates: Vec<_> = found.certs.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    let roots = if certificates.is_empty() { RootCerts::WebPki } else { RootCerts::Specific(Arc::new(certificates)) };
    Ok(TlsConfig::builder().root_certs(roots).build())
}
