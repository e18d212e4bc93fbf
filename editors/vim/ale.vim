" For ~/.vim/vimrc, before ALE is loaded.
let g:ale_hover_to_preview = 1
let g:ale_fixers = {'modelfile': [function('ale#fixers#modelfile_lint#Fix')]}
autocmd FileType modelfile setlocal omnifunc=ale#completion#OmniFunc
