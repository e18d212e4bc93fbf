autocmd User lsp_setup call lsp#register_server({
\ 'name': 'modelfile-lint',
\ 'cmd': {server_info -> ['modelfile-lint', 'lsp', '--stdio']},
\ 'allowlist': ['modelfile'],
\})
