/*
 * without-vdso PROGRAM: becomes PROGRAM as on a machine whose kernel gives no vDSO, so that the clocks are asked by system calls.
 *
 * An exec would bring the vDSO back. So this maps the dynamic loader itself, takes the vDSO out of the auxiliary vector that the kernel
 * left on the stack (getauxval(3)), and enters the loader there, which then takes its first argument for the program: `ld.so PROGRAM`.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const Elf64_Phdr *programs;

static char *mapped(const char *path, Elf64_Ehdr *head) {
    static char first[PAGE];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || pread(file, first, PAGE, 0) != PAGE) exit(126);
    *head = *(Elf64_Ehdr *)first;
    programs = (Elf64_Phdr *)(first + head->e_phoff);
    size_t whole = 0;
    for (int at = 0; at < head->e_phnum; at++)
        if (programs[at].p_type == PT_LOAD) whole = programs[at].p_vaddr + programs[at].p_memsz;
    char *base = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) exit(126);
    for (int at = 0; at < head->e_phnum; at++) {
        const Elf64_Phdr *part = &programs[at];
        if (part->p_type != PT_LOAD) continue;
        size_t into = part->p_vaddr % PAGE;
        char *from = base + part->p_vaddr - into;
        if (mmap(from, part->p_memsz + into, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != from) exit(126);
        if (pread(file, from + into, part->p_filesz, part->p_offset) != (ssize_t)part->p_filesz) exit(126);
        int rights = (part->p_flags & PF_R ? PROT_READ : 0) | (part->p_flags & PF_W ? PROT_WRITE : 0) | (part->p_flags & PF_X ? PROT_EXEC : 0);
        if (mprotect(from, part->p_memsz + into, rights)) exit(126);
    }
    close(file);
    return base;
}

int main(int count, char **arguments, char **environment) {
    Elf64_Ehdr head;
    if (count != 2) return 64;
    char *base = mapped(LOADER, &head);
    char **end = environment;
    while (*end) end++;
    for (Elf64_auxv_t *entry = (Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == AT_SYSINFO_EHDR) entry->a_type = AT_IGNORE;
        if (entry->a_type == AT_PHDR) entry->a_un.a_val = (uintptr_t)base + head.e_phoff;
        if (entry->a_type == AT_PHNUM) entry->a_un.a_val = head.e_phnum;
        if (entry->a_type == AT_BASE) entry->a_un.a_val = 0;
        if (entry->a_type == AT_ENTRY) entry->a_un.a_val = (uintptr_t)base + head.e_entry;
    }
    /* the stack begins with the count of arguments, just below them */
#if defined(__x86_64__)
    __asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\tjmp *%1" : : "r"(arguments - 1), "r"(base + head.e_entry) : "rdx", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("mov sp, %0\n\tbr %1" : : "r"(arguments - 1), "r"(base + head.e_entry) : "memory");
#endif
    return 126;
}
