#pragma once

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

/// What is fuzzed: functions that take any bytes and hand them to a parser as the program does. A
/// target returns whatever the parser made of the bytes; it aborts when a promise was broken, and
/// a sanitizer ends it where memory or arithmetic was misused.
namespace atl::fuzz {

void config(std::string_view bytes);        ///< a campaign's TOML
void task(std::string_view bytes);          ///< definition.json, a line "%%", workload.jsonl
void expression(std::string_view bytes);    ///< arithmetic over axes
void source(std::string_view bytes);        ///< two C++ sources with a NUL between them
void compile_log(std::string_view bytes);   ///< what a compiler printed
void cubin(std::string_view bytes);         ///< machine code of a device
void device_text(std::string_view bytes);   ///< a CUDA source, a log, a kernel's name
void verdict(std::string_view bytes);       ///< JSON of a stored verdict
void judge_answer(std::string_view bytes);  ///< standard output of an external judge
void frames(std::string_view bytes);        ///< what a worker writes to its socket
void messages(std::string_view bytes);      ///< one byte for the type, then a frame's payload
void journal(std::string_view bytes);       ///< the journal's file
void records(std::string_view bytes);   ///< u8 type, u32 length, payload, again; framed by us, so
                                        ///< that checksums are right
void event(std::string_view bytes);     ///< u8 type, then an event's payload
void snapshot(std::string_view bytes);  ///< a state, without the file's checksum
void lineage(std::string_view bytes);   ///< lineage.h5
void rows(std::string_view bytes);      ///< u16 place, u16 offset, u32 bytes, again: written over
                                        ///< the raw data of a sound lineage.h5

void plan(std::string_view bytes);           ///< JSON of a CUDA plan
void launch_record(std::string_view bytes);  ///< two records of a host launcher, half of it each
void source_split(std::string_view bytes);   ///< a .cu file
void gpu_package(std::string_view bytes);    ///< a program for a GPU's processes

void serve_line(std::string_view bytes);     ///< a line of a server's client, and the request in it
void serve_head(std::string_view bytes);     ///< the head of an HTTP request
void remote_answer(std::string_view bytes);  ///< a line of a server, to the engine
void model_reply(std::string_view bytes);    ///< a reply with a candidate in a fence
void edit_reply(std::string_view bytes);     ///< a parent, '\0', a reply with edits to it
void chat_documents(std::string_view bytes);   ///< of chat completions: reply, request, error
void trainer_request(std::string_view bytes);  ///< a body, to every adapter

struct Target {
    const char* name;
    void (*run)(std::string_view bytes);
};
[[nodiscard]] std::span<const Target> all_targets();

/// Aborts unless `promise` holds.
inline void must(bool promise, const char* what) {
    if (!promise) {
        std::fprintf(stderr, "broken promise: %s\n", what);
        std::abort();
    }
}

}  // namespace atl::fuzz
