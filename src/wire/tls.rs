//! How TLS is spoken and whom we trust.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};

use super::{TlsSettings, WireError};

/// The TLS configuration of a client; `used` says whether any TLS connection will be made at all, because loading
/// the machine's authorities takes longer than a whole exchange.
pub(super) fn config(settings: &TlsSettings, used: bool, alpn: &[&[u8]]) -> Result<ClientConfig, WireError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| WireError::Client(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    if let Some(path) = &settings.ca_file {
        add_file(&mut roots, path)?;
    }
    let mut config = if settings.insecure {
        let verifier = Arc::new(AcceptAnything(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        if used {
            add_machine_roots(&mut roots);
        }
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Adds the authorities the machine trusts, or those of the Mozilla programme where it has none (slim containers).
fn add_machine_roots(roots: &mut RootCertStore) {
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), WireError> {
    let refuse = |reason: String| WireError::CaFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| refuse(format!("not readable as PEM: {error}")))?;
        roots.add(certificate).map_err(|error| refuse(format!("not usable as an authority: {error}")))?;
    }
    if roots.len() == before {
        return Err(refuse("holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)".into()));
    }
    Ok(())
}

/// Accepts every certificate: what `insecure` asks for.
#[derive(Debug)]
struct AcceptAnything(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let settings = TlsSettings { ca_file: Some(file.path().to_owned()), insecure: false };
        let error = config(&settings, false, &[]).unwrap_err().to_string();
        assert!(error.contains(file.path().to_str().unwrap()), "{error}");
        error
    }

    #[test]
    fn files_without_a_usable_authority_are_refused_by_name() {
        assert!(refused("").contains("no certificate"));
        assert!(refused("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").contains("PEM"));
        assert!(refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("authority"));
        let settings = TlsSettings { ca_file: Some("/does/not/exist.pem".into()), insecure: false };
        assert!(config(&settings, false, &[]).unwrap_err().to_string().starts_with("/does/not/exist.pem: "));
    }

    #[test]
    fn there_is_always_somebody_to_trust() {
        let mut roots = RootCertStore::empty();
        add_machine_roots(&mut roots);
        assert!(!roots.is_empty());
    }
}
