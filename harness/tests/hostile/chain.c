/* Chains of processes: each process leaves its session, starts the next one and exits, faster than a list of processes
   can be read. SIGTERM does not end them; after 20 s they end by themselves.

   chain COUNT [exit] [close]: starts so many chains, and then waits, or exits at once; closes its pipes first. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

int main(int count, char **words) {
    long end = seconds() + 20;
    int is_done = 0;
    signal(SIGTERM, SIG_IGN);
    for (int i = 2; i < count; i++) {
        is_done |= strcmp(words[i], "exit") == 0;
        if (strcmp(words[i], "close") == 0) {
            close(1);
            close(2);
        }
    }
    for (int chains = count > 1 ? atoi(words[1]) : 0; chains > 0; chains--)
        if (fork() == 0) {
            while (seconds() < end) {
                setsid();
                if (fork() > 0)
                    _exit(0);
            }
            _exit(0);
        }
    while (!is_done && seconds() < end)
        usleep(100000);
    return 0;
}
