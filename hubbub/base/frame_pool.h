// Memory for frames: free blocks are kept in lists of the thread that let them go, one for each size, so that
// a message costs no malloc. A block may be let go on another thread than it was taken on; it then serves
// that one.
//
// Invariant: what a thread keeps is bounded (kKeepBytes a size), and given back when the thread ends. With a
// sanitizer nothing is kept, so that a use after the end is found.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HUBBUB_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HUBBUB_SANITIZED 1
#endif
#endif

namespace hubbub::frame_pool {

#ifdef HUBBUB_SANITIZED
inline constexpr bool kKeepsBlocks = false;
#else
inline constexpr bool kKeepsBlocks = true;
#endif
// Blocks larger than this are malloc's.
inline constexpr std::size_t kPooledBytesMax = 1024;
// Kept for each size of up to kSmallBytes, and for each of the others.
inline constexpr std::size_t kSmallBytes = 256;
inline constexpr std::size_t kKeepBytesSmall = 256 * 1024;
inline constexpr std::size_t kKeepBytes = 64 * 1024;

// `bytes` of memory, aligned for any object; throws what operator new throws. give() wants the same `bytes`.
[[nodiscard]] void* take(std::size_t bytes);
void give(void* block, std::size_t bytes) noexcept;

// Blocks taken and not given back, in all threads. Exact once the threads that took and gave are quiet.
[[nodiscard]] std::int64_t taken();
// Bytes that the calling thread keeps.
[[nodiscard]] std::size_t kept_bytes();

}  // namespace hubbub::frame_pool
