/*
 * The PKCS#11 module of the tests in attached.rs: caml-crush's client, which talks to an HSM elsewhere over a socket.
 *
 * One thing it does itself. caml-crush sends a mechanism's parameter as bytes, and AES-GCM's holds pointers; so the data keys are
 * unwrapped, once and before the lock-down, by SoftHSM in this process. All else goes over the socket.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long number;
typedef number (*call)();

/* CK_FUNCTION_LIST of PKCS#11 v2.40: a version, then 68 calls in the order of section 5. */
struct calls {
    unsigned char version[2];
    call call[68];
};
enum { INITIALIZE = 0, GET_SLOT_LIST = 4, OPEN_SESSION = 12, LOGIN = 18, READ = 24, FIND_INIT = 26, FIND, FIND_FINAL, DECRYPT_INIT = 33, DECRYPT };

struct attribute {
    number type;
    void *value;
    number length;
};

static struct calls *there, *here, mixed;
static number here_session;

static struct calls *loaded(const char *path) {
    struct calls *calls = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    call list = library ? (call)dlsym(library, "C_GetFunctionList") : NULL;
    if (!list || list(&calls)) abort();
    return calls;
}

static number login(number session, number user, void *pin, number length) {
    number slot, one = 1;
    if (!here) {
        here = loaded(SOFTHSM);
        if (here->call[INITIALIZE](NULL) || here->call[GET_SLOT_LIST](1, NULL, &one)) abort();
        number slots[one];
        if (here->call[GET_SLOT_LIST](1, slots, &one)) abort();
        slot = slots[0];
        if (here->call[OPEN_SESSION](slot, 4UL, NULL, NULL, &here_session)) abort();
        here->call[LOGIN](here_session, user, pin, length);
    }
    return there->call[LOGIN](session, user, pin, length);
}

static number decrypt_init(number session, void *mechanism, number key) {
    char label[64];
    struct attribute wanted = {3, label, sizeof label};
    number found, count = 0;
    if (there->call[READ](session, key, &wanted, 1UL)) return 5;
    here->call[FIND_INIT](here_session, &wanted, 1UL);
    here->call[FIND](here_session, &found, 1UL, &count);
    here->call[FIND_FINAL](here_session);
    return count == 1 ? here->call[DECRYPT_INIT](here_session, mechanism, found) : 5;
}

static number decrypt(number session, void *sealed, number length, void *clear, number *room) {
    (void)session;
    return here->call[DECRYPT](here_session, sealed, length, clear, room);
}

number C_GetFunctionList(struct calls **calls) {
    there = loaded(CLIENT);
    mixed = *there;
    mixed.call[LOGIN] = login;
    mixed.call[DECRYPT_INIT] = decrypt_init;
    mixed.call[DECRYPT] = decrypt;
    *calls = &mixed;
    return 0;
}
