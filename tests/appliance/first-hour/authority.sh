# shellcheck shell=bash
# authority.sh - the operator's certificate authority, as openssl makes one: for the test of the first hour, and fit for nothing else.
# To be sourced; works in the folder that is named first.

authority_begin() { # FOLDER
    authority=$1
    mkdir -p "$authority"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$authority/ca.key" -out "$authority/clients-ca.pem" \
        -days 30 -subj '/CN=Authority of the first hour' -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign 2> "$authority/openssl.log"
    : > "$authority/index.txt"
    echo 01 > "$authority/crlnumber"
    cat > "$authority/openssl.cnf" << END
[ca]
default_ca = first
[first]
database = $authority/index.txt
crlnumber = $authority/crlnumber
default_md = sha256
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid:always
[client]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid:always
[server]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid:always
END
}

authority_sign() { # SECTION REQUEST CERTIFICATE
    openssl x509 -req -in "$2" -CA "$authority/clients-ca.pem" -CAkey "$authority/ca.key" -CAcreateserial -days 30 -copy_extensions copy \
        -extfile "$authority/openssl.cnf" -extensions "$1" -out "$3" 2>> "$authority/openssl.log"
}

authority_client() { # NAME: NAME.pem and NAME.key in the current folder
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>> "$authority/openssl.log"
    authority_sign client "$1.csr" "$1.pem"
}

authority_list() { # FROM UNTIL: clients.crl.pem in the current folder; as date(1) reads a moment
    openssl ca -gencrl -config "$authority/openssl.cnf" -cert "$authority/clients-ca.pem" -keyfile "$authority/ca.key" \
        -crl_lastupdate "$(date -u -d "$1" +%Y%m%d%H%M%SZ)" -crl_nextupdate "$(date -u -d "$2" +%Y%m%d%H%M%SZ)" \
        -out clients.crl.pem 2>> "$authority/openssl.log"
}
